import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { TraceInputError, parseMapping } from '../../../traces/read/mapping.js';
import { findMapping, readRecording } from '../../../traces/read/read-recording.js';
import { findSeries } from '../../../traces/recording.js';

const head = `apiVersion: wavetank/v1alpha1
kind: TraceMapping
name: made-up
why: a test
detect: [rates.csv]
step: 60s
entry: web
`;

function folderWith(t: ExecutionContext, files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'recording-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

test('bad rows, gaps, jitter, duplicates and corrupt times are counted and located', (t) => {
  const rows = [
    'time,service,rps', // line 1
    '0,web,10',
    '61,web,11', // one second late
    '120,web,12',
    '121,web,13', // second sample for step 2
    'yesterday,web,14', // line 6: no time
    '240,web,NaN', // line 7: no figure; and step 3 is missing altogether
    '300,web,abc', // line 8: no number
    '300,web,15',
    '200000000,web,16', // line 10: six years ahead
    '360,web', // line 11: a cell is missing
    '360,web,17',
  ];
  const folder = folderWith(t, { 'rates.csv': `${rows.join('\n')}\n` });
  const mapping = parseMapping(
    `${head}series:
  - match: rates.csv
    format: csv
    time: { column: time, format: unix-s }
    service: { column: service }
    values: [{ column: rps, role: requestRate, unit: per second }]
`,
    'm.yaml',
  );
  const recording = readRecording(folder, mapping);
  t.is(recording.pointCount, 7);
  t.deepEqual(findSeries(recording, 'requestRate', 'web')?.values, [10, 11, 12, null, null, 15, 17]);
  const report = recording.reports[0];
  t.is(report?.rowsRead, 11);
  t.is(report?.rowsKept, 5);
  t.deepEqual(report?.dropped, [
    { reason: 'row has 2 cells where the header has 3', count: 1, firstLines: [11] },
    { reason: 'time is not in the form unix-s', count: 1, firstLines: [6] },
    { reason: 'NaN or infinite value', count: 1, firstLines: [7] },
    { reason: 'value is not a number', count: 1, firstLines: [8] },
    { reason: 'second sample for one step', count: 1, firstLines: [5] },
    { reason: 'timestamp outside the recording', count: 1, firstLines: [10] },
  ]);
  t.true(report?.notes.some((note) => /2 steps have no value/.test(note)));
  t.true(report?.notes.some((note) => /differ from the regular 60 s/.test(note)));
});

test('latencies in seconds that are declared as milliseconds are called suspicious', (t) => {
  const folder = folderWith(t, {
    'rates.csv': 'time,service,p50,rps\n0,web,0.0005,1\n60,web,0.0007,1\n120,web,0.0006,1\n',
  });
  const notes = (unit: string): string[] => {
    const text = `${head}series:
  - match: rates.csv
    format: csv
    time: { column: time, format: unix-s }
    service: { column: service }
    values:
      - { column: rps, role: requestRate, unit: per second }
      - { column: p50, role: latency, quantile: 0.5, unit: ${unit} }
`;
    return readRecording(folder, parseMapping(text, 'm.yaml')).reports.flatMap((report) => report.notes);
  };
  t.true(notes('ms').some((note) => /web: suspicious unit: as ms the median is 0\.0006 .* is it s\?/.test(note)));
  t.deepEqual(
    notes('s').filter((note) => note.includes('suspicious')),
    [],
  );
});

test('wide files with several header rows, gzip, and pods of one service are read together', (t) => {
  const wide = 'service,web,cart\nmetric,requests,requests\nstat,Sum,Sum\nindex,,\n0,600,300\n300,1200,\n';
  const pod = (cpu: number): Buffer => gzipSync(`t,pod,cpu\n0,web-5f6-a,${cpu}\n300,web-5f6-a,${2 * cpu}\n`);
  const folder = folderWith(t, { 'rates.csv': wide, 'pods/a.csv.gz': pod(0.1), 'pods/b.csv.gz': pod(0.2) });
  const mapping = parseMapping(
    `${head.replace('60s', '5m')}series:
  - match: rates.csv
    format: csv
    headerRows: [service, metric, stat]
    skipRowsAfterHeader: 1
    time: { column: service, format: unix-s }
    values: [{ where: { metric: ^requests$, stat: ^Sum$ }, role: requestRate, unit: per 300s }]
  - match: pods/*.csv.gz
    format: csv
    time: { column: t, format: unix-s }
    service: { column: pod, pattern: '^(.+)-[0-9a-f]+-[a-z]$' }
    values: [{ column: cpu, role: cpu, unit: cores }]
`,
    'm.yaml',
  );
  const recording = readRecording(folder, mapping);
  t.deepEqual(findSeries(recording, 'requestRate', 'web')?.values, [2, 4]);
  t.deepEqual(findSeries(recording, 'requestRate', 'cart')?.values, [1, null]);
  t.deepEqual(
    findSeries(recording, 'cpu', 'web')?.values.map((value) => Math.round(value ?? -1)),
    [300, 600],
  );
});

test('Prometheus answers are mapped by their labels', (t) => {
  const series = (source: string, target: string, value: string): unknown => ({
    metric: { source_workload: source, destination_workload: target },
    values: [
      [0, value],
      [60, value],
    ],
  });
  const json = JSON.stringify([series('unknown', 'web', '5'), series('web', 'cart', '15')]);
  const folder = folderWith(t, { 'rates.csv': 'unused', 'rates.json': json });
  const mapping = parseMapping(
    `${head}series:
  - match: rates.json
    format: prometheus
    service: { column: destination_workload }
    source: { column: source_workload }
    outside: unknown
    values: [{ role: requestRate, unit: per second }]
`,
    'm.yaml',
  );
  const recording = readRecording(folder, mapping);
  t.deepEqual(recording.edges, [{ source: 'web', target: 'cart' }]);
  t.deepEqual(findSeries(recording, 'requestRate', 'web')?.values, [5, 5]);
  t.deepEqual(findSeries(recording, 'requestRate', 'cart', { source: 'web' })?.values, [15, 15]);
});

test('missing files, missing columns and a missing entry are errors that name them', (t) => {
  const folder = folderWith(t, { 'rates.csv': 'time,service,rps\n0,cart,1\n' });
  const read = (series: string): string[] => {
    const mapping = parseMapping(`${head}series:\n${series}`, 'm.yaml');
    return t.throws(() => readRecording(folder, mapping), { instanceOf: TraceInputError }).problems.slice();
  };
  const file = (match: string, column: string): string =>
    `  - { match: ${match}, format: csv, time: { column: time, format: unix-s }, service: { column: service }, values: [{ column: ${column}, role: requestRate, unit: per second }] }\n`;
  t.regex(read(file('other.csv', 'rps')).join(), /no file matches "other\.csv"/);
  t.regex(read(file('rates.csv', 'speed')).join(), /rates\.csv:1: no column "speed"; the file has time, service, rps/);
  t.regex(read(file('rates.csv', 'rps')).join(), /entry "web" is not among the services read: cart/);
});

test('a folder finds its mapping by the files it holds, or none', (t) => {
  const mappings = folderWith(t, {
    'a.yaml': `${head.replace('rates.csv', 'other.csv')}series:\n  - { match: x, format: csv, values: [{ column: v, role: requestRate, unit: per second }] }\n`,
    'b.yaml': `${head}series:\n  - { match: x, format: csv, values: [{ column: v, role: requestRate, unit: per second }] }\n`,
  });
  const folder = folderWith(t, { 'rates.csv': '' });
  t.is(findMapping(folder, mappings)?.file, join(mappings, 'b.yaml'));
  t.is(findMapping(folderWith(t, { 'none.txt': '' }), mappings), null);
});
