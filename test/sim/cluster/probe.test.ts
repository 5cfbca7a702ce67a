import test from 'ava';
import { readyAtUs } from '../../../sim/cluster/probe.js';

const SECOND_US = 1_000_000;

function readyAfterSeconds(appUpAfter: number, initialDelay: number, period: number): number {
  const startUs = 1000 * SECOND_US;
  const at = {
    startUs,
    appUpAfterUs: appUpAfter * SECOND_US,
    initialDelayUs: initialDelay * SECOND_US,
    periodUs: period * SECOND_US,
  };
  return (readyAtUs(at) - startUs) / SECOND_US;
}

test('B5 worked: up after 12 s, probed every 10 s, ready at 20 s', (t) => t.is(readyAfterSeconds(12, 0, 10), 20));

test('B5: up exactly at a probe is ready at that probe', (t) => t.is(readyAfterSeconds(10, 0, 10), 10));

test('B5: probes before the initial delay are skipped, and the next comes a period later', (t) => {
  t.is(readyAfterSeconds(2, 5, 10), 10);
  t.is(readyAfterSeconds(0, 10, 10), 10);
  t.is(readyAfterSeconds(0, 11, 10), 20);
});

test('B5: the initial delay shifts no probe', (t) => t.is(readyAfterSeconds(12, 5, 10), 20));

test('B5: up at once without delay is ready at once', (t) => t.is(readyAfterSeconds(0, 0, 10), 0));
