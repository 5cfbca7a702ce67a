/** Properties of `step` on random snapshots. The seed is printed; WAVETANK_SEED replays it. */
import test from 'ava';
import fc from 'fast-check';
import { candidateNodesToAdd, emptyMemory, step, stepToward, targetDistribution } from '../../engine/index.js';
import type { SnapshotPod, StepInput, StepOutput } from '../../engine/index.js';
import { aNode, aPod, aRule, aSnapshot, aWorkload, anEdge, anInput, deepFreeze, GIB, NOW_MS } from './fixtures.js';
import { SEED } from '../seed.js';

test.before((t) => t.log(`WAVETANK_SEED=${SEED}`));

const check = <T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => void, numRuns = 300): void =>
  fc.assert(fc.property(arbitrary, property), { numRuns, seed: SEED });

const SENTENCES = new Set(['because', 'signals', 'rejected']);

interface World {
  readonly zones: readonly string[];
  readonly nodes: readonly { zone: number; requested: number; up: boolean }[];
  readonly replicas: readonly number[];
  readonly pods: readonly {
    workload: number;
    node: number | null;
    cpu: number | null;
    ready: boolean;
    gated: boolean;
    ageMs: number;
  }[];
  readonly edges: readonly { from: number; zone: number; to: number; rps: number }[];
  readonly rows: readonly { workload: number; from: number; to: readonly number[] }[];
  readonly outlier: boolean;
  readonly duplicate: boolean;
  readonly scope: StepInput['scope'];
}

const index = fc.nat(4);
const world: fc.Arbitrary<World> = fc.record({
  zones: fc.constantFrom(['eu/a'], ['eu/a', 'eu/b'], ['eu/a', 'eu/b', 'eu/c', 'us/d']),
  nodes: fc.array(fc.record({ zone: index, requested: fc.nat(4500), up: fc.boolean() }), { maxLength: 8 }),
  replicas: fc.array(fc.nat(12), { minLength: 1, maxLength: 4 }),
  pods: fc.array(
    fc.record({
      workload: index,
      node: fc.option(fc.nat(8)),
      cpu: fc.option(fc.nat(2000)),
      ready: fc.boolean(),
      gated: fc.boolean(),
      ageMs: fc.nat(400_000),
    }),
    { maxLength: 20 },
  ),
  edges: fc.array(fc.record({ from: index, zone: index, to: index, rps: fc.constantFrom(-1, 0, 1, 50, 1e6) }), {
    maxLength: 10,
  }),
  rows: fc.array(fc.record({ workload: index, from: index, to: fc.array(fc.nat(100), { maxLength: 4 }) }), {
    maxLength: 3,
  }),
  outlier: fc.boolean(),
  duplicate: fc.boolean(),
  scope: fc.constantFrom('all', 'placement'),
});

/** The world with its names made by `name`. */
function inputOf(w: World, name = (plain: string): string => plain): StepInput {
  const zone = (at: number): string => w.zones[at % w.zones.length]!.split('/').map(name).join('/');
  const workload = (at: number): string => name(`w${at % w.replicas.length}`);
  const nodeName = (at: number | null): string | null => (at === null ? null : name(`n${at}`));
  return anInput(
    aSnapshot({
      nodes: w.nodes.map(({ zone: at, requested, up }, i) =>
        aNode(nodeName(i)!, zone(at), { ready: up, requested: { cpuMillicores: requested, memoryBytes: GIB } }),
      ),
      workloads: [...w.replicas, ...(w.duplicate ? [1] : [])].map((count, i) => aWorkload(workload(i), count)),
      pods: w.pods.map((pod, i): SnapshotPod =>
        aPod(workload(pod.workload), nodeName(pod.node), name(`p${i}`), 0, {
          ready: pod.ready,
          gated: pod.gated,
          createdAtMs: NOW_MS - pod.ageMs,
          usage: pod.cpu === null ? null : { cpuMillicores: pod.cpu, memoryBytes: GIB },
        }),
      ),
      edges: w.edges.map((edge) => anEdge(workload(edge.from), zone(edge.zone), workload(edge.to), edge.rps)),
      latencies: { zones: [], nodes: [] },
      destinationRules: w.replicas.map((_, i) => {
        const rows = w.rows.filter((row) => row.workload % w.replicas.length === i);
        const distribute = rows.map((row) => ({
          from: `${zone(row.from)}/*`,
          to: Object.fromEntries(row.to.map((percent, at) => [`${zone(at)}/*`, percent])),
        }));
        const policy = {
          loadBalancer: { localityLbSetting: { distribute } },
          ...(w.outlier ? { outlierDetection: {} } : {}),
        };
        return aRule(workload(i), { trafficPolicy: policy });
      }),
    }),
    { scope: w.scope },
  );
}

test('a step changes nothing it is given, answers the same again, and speaks JSON', (t) => {
  check(world, (w) => {
    const input = deepFreeze(inputOf(w));
    const output = step(input);
    t.deepEqual(step(JSON.parse(JSON.stringify(input)) as StepInput), output);
    t.deepEqual(JSON.parse(JSON.stringify(output)), output);
  });
});

test('every workload has an answer of each part, and every decision a reason', (t) => {
  check(world, (w) => {
    const input = { ...inputOf(w), scope: 'all' as const };
    const { decisions, skipped } = step(input);
    for (const { kind, namespace, name } of input.snapshot.workloads) {
      const isOurs = (entry: { workload: { kind: string; namespace: string; name: string } }): boolean =>
        entry.workload.kind === kind && entry.workload.namespace === namespace && entry.workload.name === name;
      const scaler = decisions.some((entry) => isOurs(entry) && entry.kind !== 'setRoute');
      const balancer = decisions.some((entry) => isOurs(entry) && entry.kind === 'setRoute');
      t.true(scaler || skipped.some((entry) => isOurs(entry) && entry.part === 'scaler'));
      t.true(balancer || skipped.some((entry) => isOurs(entry) && entry.part === 'balancer'));
    }
    t.true(decisions.every(({ because, signals }) => because !== '' && Object.keys(signals).length > 0));
    t.true(skipped.every(({ detail }) => detail !== ''));
  });
});

test('a route sums to 100, has no empty edge, and starves no zone that holds or could get a pod', (t) => {
  let routes = 0;
  check(
    world,
    (w) => {
      const { snapshot } = inputOf(w);
      const zoneOf = new Map(snapshot.nodes.map((node) => [node.name, node.zone]));
      for (const decision of step({ ...inputOf(w), scope: 'all' }).decisions) {
        if (decision.kind !== 'setRoute') continue;
        routes++;
        const held = snapshot.pods
          .filter(({ workload }) => workload === decision.workload.name)
          .flatMap(({ node }) => zoneOf.get(node ?? '') ?? []);
        // Every node of these worlds is schedulable and untainted, so every zone with a node could get a pod.
        const must = new Set([...held, ...zoneOf.values()]);
        for (const { to } of decision.distribute) {
          const percents = Object.values(to);
          t.is(
            percents.reduce((sum, percent) => sum + percent, 0),
            100,
          );
          t.true(percents.every((percent) => Number.isInteger(percent) && percent >= 1));
          for (const zone of must) t.true(to[`${zone}/*`]! >= 1, `${zone} in ${JSON.stringify(to)}`);
        }
      }
      // About one world in fifteen leads to a route: enough of them for any seed.
    },
    1500,
  );
  t.true(routes > 20, `only ${routes} routes were tried`);
});

test('names decide nothing: renamed in, renamed out', (t) => {
  const plainName = new Map<string, string>();
  const remember = (plain: string): string => {
    const renamed = `q${[...plain].map((c) => (c.charCodeAt(0) * 7919) % 1000).join('q')}`;
    plainName.set(renamed, plain);
    return renamed;
  };
  const shape = (output: StepOutput): unknown =>
    output.decisions.map((entry) => {
      const back = (text: string): string =>
        text.replace(/q\d+(q\d+)*/g, (renamed) => plainName.get(renamed) ?? renamed);
      // Sentences and figures name places too; what is done must be the same.
      const rest = Object.fromEntries(Object.entries(entry).filter(([field]) => !SENTENCES.has(field)));
      return JSON.parse(back(JSON.stringify(rest))) as unknown;
    });
  check(world, (w) => {
    plainName.clear();
    const plain = step(inputOf(w));
    const renamed = step(inputOf(w, remember));
    t.deepEqual(shape(renamed), shape(plain));
    t.deepEqual(
      renamed.skipped.map(({ part, reason }) => [part, reason]),
      plain.skipped.map(({ part, reason }) => [part, reason]),
    );
  });
});

test('while fewer zones than wanted are covered and a fresh one has room, only fresh zones are offered', (t) => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const arbitrary = fc.record({
    held: fc.array(index, { maxLength: 10 }),
    roomy: fc.uniqueArray(index, { maxLength: 5 }),
    maxZones: fc.integer({ min: 1, max: 5 }),
    maxZoneSkew: fc.integer({ min: 1, max: 3 }),
  });
  check(arbitrary, ({ held, roomy, ...settings }) => {
    const amounts = { cpuMillicores: 1, memoryBytes: 1 };
    const offered = candidateNodesToAdd({
      zones: Object.fromEntries(names.map((name) => [name, [`n-${name}`]])),
      pods: held.map((at, i) => ({ name: `p${i}`, node: `n-${names[at]!}` })),
      nodes: roomy.map((at) => ({
        name: `n-${names[at]!}`,
        zone: names[at]!,
        allocatable: amounts,
        requested: amounts,
        free: amounts,
      })),
      settings,
    });
    const covered = new Set(held);
    const fresh = roomy.filter((at) => !covered.has(at)).map((at) => `n-${names[at]!}`);
    if (covered.size < settings.maxZones && fresh.length > 0) t.deepEqual([...offered].sort(), fresh.sort());
    t.is(offered.length === 0, roomy.length === 0);
  });
});

test('distributions and steps sum to 100 per source without empty edges', (t) => {
  const places = ['a', 'b', 'c', 'd', 'e'];
  const arbitrary = fc.record({
    pods: fc.array(fc.record({ node: fc.constantFrom(...places), cpu: fc.double({ min: 0, max: 3, noNaN: true }) }), {
      minLength: 1,
    }),
    rtts: fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 25, maxLength: 25 }),
    least: fc.nat(5),
    current: fc.array(fc.nat(100), { minLength: 5, maxLength: 5 }),
  });
  check(arbitrary, ({ pods, rtts, least, current }) => {
    const edges = targetDistribution({
      pods: pods.map(({ node, cpu }, i) => ({ name: `p${i}`, node, utilization: { cpu, memory: 0 } })),
      upstreamNodes: places,
      latencies: rtts.map((rttMs, i) => ({ from: places[Math.floor(i / 5)]!, to: places[i % 5]!, rttMs })),
      p95ByNode: {},
      settings: {
        metric: 'cpu',
        cpuWeight: 1,
        memoryWeight: 1,
        responseTimeTargetMs: 100,
        minLocalShare: 0.35,
        minPlacePercent: least,
      },
    });
    const held = new Set(pods.map(({ node }) => node));
    for (const from of places) {
      const row = edges.filter((edge) => edge.from === from);
      t.is(
        row.reduce((sum, { percent }) => sum + percent, 0),
        100,
      );
      t.true(row.every(({ percent }) => Number.isInteger(percent) && percent >= Math.max(1, least)));
      if (least > 0) t.is(row.length, held.size);
    }
    const to = Object.fromEntries(places.map((place, i) => [place, current[i]!]));
    const target = [
      { from: 'a', to: Object.fromEntries(edges.filter(({ from }) => from === 'a').map((e) => [e.to, e.percent])) },
    ];
    const settings = { minStep: 5, maxStep: 20, urgencyThreshold: 50, epsilon: 1 };
    const { next } = stepToward({ current: [{ from: 'a', to }], target, settings });
    const percents = Object.values(next[0]!.to);
    t.is(
      percents.reduce((sum, percent) => sum + percent, 0),
      100,
    );
    t.true(percents.every((percent) => Number.isInteger(percent) && percent > 0));
  });
});

test('a configuration that cannot be used is said for every workload', (t) => {
  const snapshot = aSnapshot({ workloads: [aWorkload('web', 1)] });
  const output = step(anInput(snapshot, { config: { upperThresholdPercent: NaN } }));
  t.deepEqual(output.decisions, []);
  t.deepEqual(
    output.skipped.map(({ part, reason }) => [part, reason]),
    [
      ['scaler', 'invalid'],
      ['balancer', 'invalid'],
    ],
  );
});

test('workloads outside the namespaces looked after and an empty cluster are answered', (t) => {
  const other = step(anInput(aSnapshot({ workloads: [aWorkload('web', 1, { namespace: 'other' })] })));
  t.deepEqual(
    other.skipped.map(({ reason }) => reason),
    ['disabled', 'disabled'],
  );
  t.deepEqual(step(anInput(aSnapshot({ nodes: [] }))), { decisions: [], skipped: [], memory: emptyMemory });
});

test('a scaling leaves a mark for the balancer, and the mark of a workload that is gone is dropped', (t) => {
  const pods = [aPod('web', 'n-a', 'web-0', 2000)];
  const marked = step(anInput(aSnapshot({ workloads: [aWorkload('web', 1)], pods }))).memory;
  t.deepEqual(marked.postScalingMarks, { 'default/Deployment/web': { atMs: NOW_MS } });
  t.deepEqual(step(anInput(aSnapshot(), { memory: marked })).memory.postScalingMarks, {});
});
