import test from 'ava';
import { parsePrometheus } from '../../../traces/read/prometheus.js';
import { ReadCounter } from '../../../traces/read/read-counter.js';

const result = [
  {
    metric: { destination_workload: 'cart' },
    values: [
      [1661140279, '8.5'],
      [1661140339.781, 'NaN'],
      [1661140399, '+Inf'],
    ],
  },
  {
    metric: { destination_workload: 'ad' },
    values: [
      [1661140279, '0'],
      ['soon', '1'],
      [1661140339, 7],
    ],
  },
];

for (const [shape, text] of [
  ['a whole response', JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } })],
  ['the bare result array', JSON.stringify(result)],
] as const) {
  test(`${shape} gives its samples, with NaN and Inf as null`, (t) => {
    const counter = new ReadCounter('rates.json', 'requestRate');
    const samples = parsePrometheus(text, counter);
    t.deepEqual(
      samples.map((sample) => [sample.labels['destination_workload'], sample.timeMs, sample.value]),
      [
        ['cart', 1_661_140_279_000, 8.5],
        ['cart', 1_661_140_339_781, null],
        ['cart', 1_661_140_399_000, null],
        ['ad', 1_661_140_279_000, 0],
      ],
    );
    const report = counter.report();
    t.is(report.rowsRead, 6);
    t.is(report.rowsKept, 2);
    t.deepEqual(report.dropped, [
      { reason: 'NaN or infinite value', count: 2, firstLines: [2, 3] },
      { reason: 'timestamp is not a number', count: 1, firstLines: [5] },
      { reason: 'value is not a number in a string', count: 1, firstLines: [6] },
    ]);
  });
}

test('an answer that is an error is not read as an empty recording', (t) => {
  const counter = new ReadCounter('rates.json', 'requestRate');
  t.throws(() => parsePrometheus('{"status":"error","error":"query timed out"}', counter), {
    message: /query timed out/,
  });
  t.throws(() => parsePrometheus('{"rows":[]}', counter), { message: /neither a Prometheus response/ });
});
