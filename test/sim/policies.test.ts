/** In the run: what services say about themselves, and what the engine still does where an HPA owns the count. */
import test from 'ava';
import { defaultEngineConfig } from '../../engine/index.js';
import type { Decision, Skipped } from '../../engine/index.js';
import type { Policy } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { SEED } from '../seed.js';
import { aLoad, anEndpoint, aScenario, aService, call, constant, cpu, staticPolicy } from './builders.js';

const SECOND = 1e6;
const engine = {
  ...defaultEngineConfig,
  scaler: { ...defaultEngineConfig.scaler, coldPodGraceSeconds: 20, cooldownSeconds: 20 },
};

interface Seen {
  readonly decisions: readonly Decision[];
  readonly skipped: readonly Skipped[];
  /** Of the last snapshot: pods by workload that were gated. */
  readonly gated: readonly string[];
  readonly most: (workload: string) => number;
}

/** Two services that are both busy: `front` calls `back`. */
function run(annotations: Record<string, string> = {}, policy: Partial<Policy> = {}): Seen {
  const scenario = aScenario({
    zones: 3,
    services: [
      aService({
        name: 'front',
        replicas: 3,
        workers: 8,
        annotations,
        endpoints: [anEndpoint([cpu(constant(9_000)), call(1)])],
      }),
      aService({ name: 'back', replicas: 3, endpoints: [anEndpoint([cpu(constant(9_000))])] }),
    ],
    loads: [aLoad(360)],
    policies: [{ ...staticPolicy, engine, ...policy }],
    run: { warmUpUs: 0, durationUs: 200 * SECOND, cycleUs: 20 * SECOND, scrapeUs: 5 * SECOND },
  });
  const decisions: Decision[] = [];
  const skipped: Skipped[] = [];
  const most = new Map<string, number>();
  let gated: string[] = [];
  // Users are in the first zone; far zones make routes worth a change.
  const roundTrip = { ...scenario.cluster.roundTrip, crossZoneUs: 5000 };
  simulate(
    { ...scenario, cluster: { ...scenario.cluster, roundTrip } },
    {
      policy: 0,
      seed: SEED,
      onSnapshot: ({ input, output }) => {
        decisions.push(...output.decisions);
        skipped.push(...output.skipped);
        gated = input.snapshot.pods.filter((pod) => pod.gated).map(({ workload }) => workload);
        for (const { name, readyReplicas } of input.snapshot.workloads)
          most.set(name, Math.max(most.get(name) ?? 0, readyReplicas));
      },
    },
  );
  return { decisions, skipped, gated, most: (workload) => most.get(workload)! };
}

test('without annotations both services grow; a bound by annotation holds one of them', (t) => {
  const free = run();
  t.true(free.most('front') > 4 && free.most('back') > 4);
  const bound = run({ 'wavetank.io/max-replicas': '4' });
  t.is(bound.most('front'), 4);
  t.true(bound.most('back') > 4);
  t.true(bound.skipped.some(({ workload, reason }) => workload.name === 'front' && reason === 'atMaxReplicas'));
});

test('a service may ask for more than the cluster allows its others: there is room for its pods', (t) => {
  const scaler = { ...engine.scaler, maxReplicas: 3 };
  const seen = run({ 'wavetank.io/max-replicas': '6' }, { engine: { ...engine, scaler } });
  t.true(seen.most('front') > 3);
  t.is(seen.most('back'), 3);
});

test('pods of a service that is off are not held back at a gate that nobody opens', (t) => {
  const hpa = { service: 0, minReplicas: 5, maxReplicas: 8, targetCpuPercent: 50, metrics: null, behavior: null };
  const seen = run({ 'wavetank.io/mode': 'off' }, { hpas: [hpa] });
  t.true(seen.most('front') >= 5);
  t.deepEqual(seen.gated, []);
  t.false(seen.decisions.some(({ workload, kind }) => workload.name === 'front' && kind === 'place'));
});

test('where an HPA owns the count, the engine still places its pods and writes its routes, and scales nothing', (t) => {
  const hpa = { service: 0, minReplicas: 3, maxReplicas: 8, targetCpuPercent: 50, metrics: null, behavior: null };
  const owned = { ...engine, balancer: { ...engine.balancer, createRoutes: true } };
  const moves = { ...engine.scaler.moves, enabled: true };
  const { decisions, skipped, most } = run(
    {},
    { hpas: [hpa], engine: { ...owned, scaler: { ...engine.scaler, moves } } },
  );
  const front = decisions.filter(({ workload }) => workload.name === 'front');
  const kinds = new Set(front.map(({ kind }) => kind));
  t.true(most('front') > 3, 'the HPA has scaled');
  t.true(kinds.has('place') && kinds.has('setRoute'), [...kinds].join());
  t.false(kinds.has('scaleUp') || kinds.has('scaleDown') || kinds.has('move'));
  // Every pod that came was placed by the engine, on a node of the zone it was told.
  t.true(front.filter(({ kind }) => kind === 'place').length >= most('front') - 3);
  const reasons = new Set(
    skipped
      .filter(({ workload, part }) => workload.name === 'front' && part !== 'balancer')
      .map(({ reason }) => reason),
  );
  t.deepEqual([...reasons], ['hpaOwned']);
  // The other service is the engine's own.
  t.true(decisions.some(({ workload, kind }) => workload.name === 'back' && kind === 'scaleUp'));
});
