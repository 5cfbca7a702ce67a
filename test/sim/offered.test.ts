/** What the engine is told of demand and answers, against what the loads offer. */
import test from 'ava';
import { simulate } from '../../sim/index.js';
import { readFileSync } from 'node:fs';
import type { Snapshot } from '../../engine/index.js';
import { load } from '../scenarios/fixtures.js';

/** The last snapshot of a run of hot-zone under a policy whose engine only looks. */
function lastSnapshot(): Snapshot {
  const text = readFileSync('scenarios/library/hot-zone.yaml', 'utf8')
    .replace('run: {duration: 7m,', 'run: {duration: 3m,')
    .replace(
      'extends: hpa\n      engine: {scaler: {mode: placement}, balancer: {enabled: true}}',
      'engine: {scaler: {mode: "off"}, balancer: {enabled: false}}',
    );
  const scenario = load(text);
  const policy = scenario.policies.findIndex(({ name }) => name === 'hpa+wavetank');
  let last: Snapshot | null = null;
  simulate(scenario, { policy, seed: 7, onSnapshot: ({ input }) => (last = input.snapshot) });
  return last!;
}

// 70 % of 350 requests/s enter in zone a, whose four pods of four workers and 80 ms can answer 200 at most (workers also
// wait for their one core): a fifth or more of the offered 245 is refused, and still offered. Arrivals of a minute: 14,700, so four standard errors are 3.3 %.
test('what is refused is offered all the same, and is not answered', (t) => {
  const { offered, responseTimes, nodes } = lastSnapshot();
  const rate = (zone: string) => offered!.find(({ sourceZone }) => sourceZone === zone)!.requestsPerSecond;
  t.true(Math.abs(rate('eu-1/a') / 245 - 1) < 0.033, String(rate('eu-1/a')));
  t.true(Math.abs(rate('eu-1/b') / 52.5 - 1) < 0.072, String(rate('eu-1/b')));
  t.deepEqual(offered![0]!.destination, { namespace: 'default', service: 'checkout' });
  const zoneOf = new Map(nodes.map(({ name, zone }) => [name, zone]));
  const answered = responseTimes
    .filter(({ node }) => zoneOf.get(node) === 'eu-1/a')
    .reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond!, 0);
  t.true(answered > 170 && answered < 206, String(answered));
});
