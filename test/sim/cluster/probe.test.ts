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

test('B5: nobody is ready before the first probe', (t) => t.is(readyAfterSeconds(2, 5, 10), 5));

test('B5: probes count from the initial delay', (t) => t.is(readyAfterSeconds(12, 5, 10), 15));

test('B5: up at once without delay is ready at once', (t) => t.is(readyAfterSeconds(0, 0, 10), 0));
