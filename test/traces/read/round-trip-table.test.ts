import test from 'ava';
import { existsSync, readFileSync } from 'node:fs';
import { readRoundTripTable } from '../../../traces/read/round-trip-table.js';

const HEADER = 'source_zone,destination_zone,rtt_avg_ms';
const read = (rows: readonly string[], wanted: readonly string[] = [], header = HEADER) =>
  readRoundTripTable([header, ...rows].join('\n'), 'rtt.csv', wanted);

test('C1: zones that were measured together are a region, and both directions make one pair', (t) => {
  const rows = ['eu-1-a,eu-1-a,0.1', 'eu-1-a,eu-1-b,1', 'eu-1-b,eu-1-a,1.5', 'us-2-a,us-2-b,2', 'eu-1-b,eu-1-b,0.3'];
  t.deepEqual(read(rows), {
    zones: ['eu-1/a', 'eu-1/b', 'us-2/a', 'us-2/b'],
    sameZoneMs: 0.2,
    pairs: [
      { between: ['eu-1/a', 'eu-1/b'], roundTripMs: 1.25 },
      { between: ['us-2/a', 'us-2/b'], roundTripMs: 2 },
    ],
  });
});

test('a choice of zones keeps the names that the whole table gives them', (t) => {
  const rows = ['eu-1-a,eu-1-b,1', 'eu-1-b,eu-1-c,2', 'eu-1-a,eu-1-c,3'];
  t.deepEqual(read(rows, ['eu-1-c', 'eu-1-a']), {
    zones: ['eu-1/a', 'eu-1/c'],
    sameZoneMs: null,
    pairs: [{ between: ['eu-1/a', 'eu-1/c'], roundTripMs: 3 }],
  });
});

test('a table of regions makes each a region of its own', (t) => {
  const header = 'source_region,destination_region,rtt_avg_ms';
  t.deepEqual(read(['Washington DC,Tokyo,150'], [], header).pairs, [
    { between: ['Washington-DC/Washington-DC', 'Tokyo/Tokyo'], roundTripMs: 150 },
  ]);
});

test('all that is wrong with a table is told at once, by line', (t) => {
  const error = t.throws(() => read(['a,b,1', 'a,b,2', 'a,,3', 'a,c,', 'a,c,-1', 'a,c,x']));
  t.deepEqual(
    error?.message.split('\n').map((line) => line.split(':').slice(0, 2).join(':')),
    ['rtt.csv:3', 'rtt.csv:4', 'rtt.csv:5', 'rtt.csv:6', 'rtt.csv:7'],
  );
  t.throws(() => read([], [], 'a,b'), { message: /rtt\.csv:1: the columns are a, b; expected source_zone/ });
  t.throws(() => read([]), { message: /no rows below the header/ });
  t.throws(() => read(['a,b,1'], ['d']), { message: /no zone "d"; it has a, b/ });
});

const IBM = '../shared/data/ibm-az-latency/az_rtt_ms_2026-08-16.csv';
test('the published table of IBM reads as regions of their zones', (t) => {
  if (!existsSync(IBM)) {
    t.log('skipped: the recorded table of round trips is not here');
    return t.pass();
  }
  const { zones, pairs, sameZoneMs } = readRoundTripTable(readFileSync(IBM, 'utf8'), IBM, []);
  t.true(zones.includes('au-syd/syd01-a'));
  // Its README: 0.07 to 0.11 ms within a zone, 0.13 to 2.16 ms between zones, mean 1.0.
  t.true(sameZoneMs! > 0.07 && sameZoneMs! < 0.11, `${sameZoneMs}`);
  const between = pairs.map(({ roundTripMs }) => roundTripMs);
  t.true(Math.min(...between) >= 0.13 && Math.max(...between) <= 2.16);
  t.true(Math.abs(between.reduce((sum, ms) => sum + ms, 0) / between.length - 1) < 0.1);
  for (const { between: pair } of pairs) t.is(pair[0].split('/')[0], pair[1].split('/')[0]);
});
