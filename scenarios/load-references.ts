/**
 * Loads of a file: the endpoint where users enter, and their shares of the zones, which must sum to all of them.
 */
import { checkTarget } from './call-graph.js';
import { checkKeys, type Names } from './names.js';
import { asRecord, isObject, reportDuplicates, type Raw } from './raw.js';
import type { Path } from './source.js';
import * as units from './units.js';

export function checkLoads(loads: readonly unknown[], names: Names): void {
  const declared = loads.map(asRecord);
  reportDuplicates(
    names.report,
    'load',
    declared.map((load, index) =>
      load['name'] === undefined
        ? [load['entry'], ['spec', 'load', index, 'entry']]
        : [load['name'], ['spec', 'load', index, 'name']],
    ),
  );
  for (const [index, load] of declared.entries()) {
    const path: Path = ['spec', 'load', index];
    checkTarget(load['entry'], names.endpoints, [...path, 'entry'], names.report);
    const from = load['from'];
    if (!Array.isArray(from)) {
      if (isObject(from)) checkShares(asRecord(from), [...path, 'from'], names);
      continue;
    }
    let before = -1;
    for (const [position, entry] of from.map(asRecord).entries()) {
      const at: Path = [...path, 'from', position];
      if (isObject(entry['shares'])) checkShares(asRecord(entry['shares']), [...at, 'shares'], names);
      const time = units.amountOf(units.duration, entry['at']);
      if (time === null) continue;
      if (position === 0 && time !== 0)
        names.report('WT0310', [...at, 'at'], { message: 'the first entry must be at 0s', expected: '0s' });
      if (time <= before)
        names.report('WT0310', [...at, 'at'], {
          message: 'not later than the entry before',
          expected: 'ascending times',
        });
      before = time;
    }
  }
}

/** Room for the last bit of sums like 0.1 + 0.2 + 0.7, far below any share that someone would write. */
const SHARE_SUM_TOLERANCE = 1e-9;

function checkShares(shares: Raw, path: Path, { zones, report }: Names): void {
  checkKeys('WT0303', 'zone', shares, zones, path, report);
  let sum = 0;
  for (const share of Object.values(shares)) {
    const value = units.amountOf(units.fraction, share);
    if (value === null) return;
    sum += value;
  }
  if (Math.abs(sum - 1) > SHARE_SUM_TOLERANCE)
    report('WT0307', path, {
      message: `the shares sum to ${Number((sum * 100).toFixed(6))}%`,
      expected: 'shares that sum to 100%',
    });
}
