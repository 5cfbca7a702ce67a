import test from 'ava';
import { naturalLog } from '../../engine/natural-log.js';

// ln 2, ln 10, ln e = 1, and ln(1.001) = 0.0009995003330835334 (tables).
const table: readonly (readonly [number, number])[] = [
  [1, 0],
  [2, 0.6931471805599453],
  [10, 2.302585092994046],
  [Math.E, 1],
  [1.001, 0.0009995003330835334],
  [1e-300, -690.7755278982137],
];
for (const [x, expected] of table) {
  test(`ln ${x} is ${expected}`, (t) => {
    t.true(Math.abs(naturalLog(x) - expected) <= 4e-16 * Math.max(1, Math.abs(expected)), `${naturalLog(x)}`);
  });
}
