/** The fast loop against an obvious simulation of the same thing (test/models/slowSimulator.ts): equal, not close. */
import test from 'ava';
import fc from 'fast-check';
import type { Distribution, Scenario } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { compileProgram } from '../../sim/program.js';
import { slowSimulate, type SlowPod } from '../models/slowSimulator.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { anyEndpoint } from './anyScenario.js';
import { aLoad, aScenario, aService } from './builders.js';

const pick = <const T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
/** More by hand: WAVETANK_FUZZ=5000. */
const RUNS = Number(process.env['WAVETANK_FUZZ'] ?? 40);

test(`counts and latencies equal those of the slow twin ${SEED_NOTE}`, (t) => {
  let spans = 0;
  fc.assert(
    fc.property(staticScenario, fc.integer({ min: 0, max: 1e6 }), (scenario, seed) => {
      const fast = figuresOfResult(scenario, seed);
      spans += fast.spans;
      const slow = figuresOfTwin(scenario, seed);
      if (JSON.stringify(fast.figures) !== JSON.stringify(slow)) {
        throw new Error(`fast ${JSON.stringify(fast.figures)}\nslow ${JSON.stringify(slow)}`);
      }
    }),
    { seed: SEED, numRuns: RUNS, includeErrorInReport: true },
  );
  t.true(spans > 100 * RUNS, `too little happened to mean anything: ${spans} spans`);
});

/** No faults, no autoscaler, no rules, a core for each worker; one node per zone and pods dealt out zone by zone. */
const staticScenario: fc.Arbitrary<Scenario> = fc
  .record({ zones: fc.integer({ min: 1, max: 3 }), services: fc.integer({ min: 1, max: 5 }) })
  .chain(({ zones, services }) =>
    fc.record({
      zones: fc.constant(zones),
      services: fc.tuple(
        ...Array.from({ length: services }, (_, i) =>
          fc.record({
            perZone: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: zones, maxLength: zones }),
            workers: pick(1, 2, 5),
            queue: pick(null, null, 0, 2),
            holds: fc.boolean(),
            endpoint: anyEndpoint(i, services),
          }),
        ),
      ),
      versions: pick(0, 0, 1, 2),
      weights: fc.array(pick(1, 2, 4), { minLength: zones, maxLength: zones }),
      rates: fc.array(pick(3, 30, 120), { minLength: 1, maxLength: 2 }),
      even: fc.boolean(),
      gatewaysPerZone: pick(1, 3),
      roundTrips: pick([0, 0, 0], [100, 400, 1300], [1, 3, 5]),
      hasNodePair: fc.boolean(),
      jitter: pick<Distribution | null>(null, { kind: 'lognormal', mean: 1, cv: 0.4 }),
      warmUpUs: pick(0, 5e6),
    }),
  )
  .map((parts) => {
    const total = parts.weights.reduce((sum, weight) => sum + weight, 0);
    const scenario = aScenario({
      zones: parts.zones,
      gatewaysPerZone: parts.gatewaysPerZone,
      services: parts.services.map((drawn, i) => {
        const perZone = drawn.perZone.some((count) => count > 0) ? drawn.perZone : drawn.perZone.map(() => 1);
        return aService({
          name: `s${i}`,
          replicas: perZone.reduce((sum, count) => sum + count, 0),
          replicasPerZone: perZone,
          workers: drawn.workers,
          queue: drawn.queue,
          holdsWorkerWhileCalling: drawn.holds,
          endpoints: [drawn.endpoint],
          // The last ones may stand behind the first host.
          ...(i > 0 && i >= parts.services.length - parts.versions
            ? { versionOf: 0, labels: { version: `v${i}` } }
            : {}),
        });
      }),
      loads: parts.rates.map((perSecond, i) =>
        aLoad(perSecond, {
          name: `load ${i}`,
          service: Math.min(i, parts.services.length - 1),
          from: [{ atUs: 0, shares: parts.weights.map((weight) => weight / total) }],
          arrivals: parts.even ? 'even' : 'poisson',
        }),
      ),
      run: { durationUs: 15e6, warmUpUs: parts.warmUpUs, seriesUs: 5e6 },
    });
    const [sameNodeUs, sameZoneUs, crossZoneUs] = parts.roundTrips;
    const roundTrip = {
      sameNodeUs,
      sameZoneUs,
      crossZoneUs,
      crossRegionUs: crossZoneUs,
      pairs: [],
      // The first two nodes, where there are two, as far apart as another continent.
      nodePairs:
        parts.hasNodePair && scenario.cluster.nodes.length > 1
          ? [
              { from: 0, to: 1, roundTripUs: 90_001 },
              { from: 1, to: 0, roundTripUs: 7_777 },
            ]
          : [],
      jitter: parts.jitter,
    };
    return { ...scenario, cluster: { ...scenario.cluster, roundTrip } };
  });

function figuresOfResult(scenario: Scenario, seed: number) {
  const result = simulate(scenario, { policy: 0, seed });
  return {
    spans: result.work.spans,
    figures: {
      total: [result.total.requests.succeeded, result.total.requests.failed, result.total.latencyMs.mean],
      services: result.services.map(({ requests, latencyMs, waitMs, cpuMillicores }) => [
        requests.succeeded,
        requests.failed,
        latencyMs.mean,
        waitMs,
        cpuMillicores,
      ]),
      edges: result.edges.map(({ source, destination, requests, latencyMs }) => [
        `${source} > ${destination}`,
        requests.succeeded,
        requests.failed,
        latencyMs.mean,
      ]),
    },
  };
}

function figuresOfTwin(scenario: Scenario, seed: number) {
  const program = compileProgram(scenario);
  const nameOf = (service: number): string => program.services[service]?.name ?? 'gateway';
  const figures = slowSimulate(scenario, seed, podsOf(scenario));
  const seconds = scenario.run.durationUs / 1e6;
  const milli = (value: number): number => Math.round(value * 1000) / 1000;
  const meanMs = (sumUs: number, count: number): number | null => (count > 0 ? milli(sumUs / count / 1000) : null);
  return {
    total: [figures.succeeded, figures.failed, meanMs(figures.latencyUs, figures.succeeded)],
    services: scenario.services.map((_, declared) => {
      const counts = figures.services[program.indexOf[declared]!]!;
      return [
        counts.succeeded,
        counts.failed,
        meanMs(counts.latencyUs, counts.succeeded + counts.failed - counts.refused),
        meanMs(counts.waitUs, counts.started),
        milli(counts.cpuUs / seconds / 1000),
      ];
    }),
    edges: figures.edges
      .map((edge) => ({ ...edge, from: program.order[edge.source] ?? -1, to: program.order[edge.destination]! }))
      .sort((a, b) => a.from - b.from || a.to - b.to)
      .map(({ source, destination, succeeded, failed, latencyUs }) => [
        `${nameOf(source)} > ${nameOf(destination)}`,
        succeeded,
        failed,
        meanMs(latencyUs, succeeded + failed),
      ]),
  };
}

/** Pods by internal service index, zone by zone on the one node of each; the gateways last. */
function podsOf(scenario: Scenario): SlowPod[][] {
  const program = compileProgram(scenario);
  const pod = (service: number, node: number, zone: number): SlowPod => ({
    service,
    node,
    zone,
    busy: 0,
    waiting: [],
    inFlight: [],
  });
  const pods = program.services.map((service, index) =>
    service.replicasPerZone!.flatMap((count, zone) => Array.from({ length: count }, () => pod(index, zone, zone))),
  );
  const { perZone } = scenario.gateways;
  pods.push(
    scenario.cluster.zones.flatMap((_, zone) => Array.from({ length: perZone }, () => pod(program.gateway, -1, zone))),
  );
  return pods;
}
