/** Nodes that come and go in the run: hand-derived timelines of the two autoscalers (SEMANTICS B15, B16). */
import test from 'ava';
import { defaultEngineConfig } from '../../engine/index.js';
import type { MachineType, NodeAutoscaler, NodePool, Policy, Scenario, Service } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { aLoad, aNode, aScenario, aService, constant, staticPolicy, type ScenarioParts } from './builders.js';

const SECOND = 1e6;
const MINUTE = 60 * SECOND;
const GI = 2 ** 30;

function aMachine(instanceType: string, cores: number, priceUsdPerHour: number): MachineType {
  const size = { cpuMillicores: cores * 1000, memoryBytes: cores * 4 * GI };
  return {
    instanceType,
    ...size,
    wholeCpuMillicores: size.cpuMillicores,
    wholeMemoryBytes: size.memoryBytes,
    priceUsdPerHour,
  };
}

const LARGE = aMachine('large', 4, 0.2);
const SMALL = aMachine('small', 2, 0.12);

/** One zone, 1 to 3 nodes of 4 cores and 16 Gi. */
function aPool(parts: Partial<NodePool> = {}, machines = [LARGE]): NodePool {
  return {
    name: 'general',
    labels: [{}],
    taints: [],
    maxPods: 110,
    machine: LARGE,
    groups: [{ minNodes: 1, maxNodes: 3 }],
    karpenter: {
      weight: 0,
      isSpot: false,
      machines,
      zones: [0],
      limits: { cpuMillicores: Infinity, memoryBytes: Infinity, nodes: 3 },
    },
    ...parts,
  };
}

const clusterAutoscaler = (parts: Partial<Extract<NodeAutoscaler, { kind: 'clusterAutoscaler' }>> = {}) =>
  ({
    kind: 'clusterAutoscaler',
    nodeStart: constant(60 * SECOND),
    scanIntervalUs: 10 * SECOND,
    expander: 'least-waste',
    maxNodeProvisionUs: 15 * MINUTE,
    utilizationThreshold: 0.5,
    unneededReadyUs: 10 * MINUTE,
    unneededUnreadyUs: 20 * MINUTE,
    delayAfterAddUs: 10 * MINUTE,
    delayAfterFailureUs: 3 * MINUTE,
    ...parts,
  }) as const;

const karpenter = (parts: Partial<Extract<NodeAutoscaler, { kind: 'karpenter' }>> = {}) =>
  ({
    kind: 'karpenter',
    nodeStart: constant(60 * SECOND),
    batchIdleUs: SECOND,
    batchMaxUs: 10 * SECOND,
    consolidationPolicy: 'WhenEmptyOrUnderutilized',
    consolidateAfterUs: 0,
    budget: { percent: 10 },
    ...parts,
  }) as const;

const withNodes = (nodeAutoscaler: NodeAutoscaler | null): Policy => ({
  ...staticPolicy,
  name: nodeAutoscaler?.kind ?? 'static',
  nodeAutoscaler,
});

const node = (number: number, machine = LARGE) =>
  aNode(`general-r-a-${number}`, 0, {
    cpuMillicores: machine.cpuMillicores,
    memoryBytes: machine.memoryBytes,
    priceUsdPerHour: machine.priceUsdPerHour,
  });

/** A pod asks for `cores`; pulls for 2 s, answers 3 s after; the probe looks every second. */
function pods(replicas: number, cores: number, parts: Partial<Service> = {}): Service {
  return aService({ replicas, requests: { cpuMillicores: cores * 1000, memoryBytes: GI }, ...parts });
}

function world(nodeAutoscaler: NodeAutoscaler | null, parts: ScenarioParts): Scenario {
  return aScenario({
    nodes: [node(0)],
    pools: [aPool()],
    loads: [aLoad(1)],
    policies: [withNodes(nodeAutoscaler)],
    ...parts,
    run: { warmUpUs: 0, durationUs: 5 * MINUTE, seriesUs: SECOND, ...parts.run },
  });
}

function run(nodeAutoscaler: NodeAutoscaler | null, parts: ScenarioParts) {
  const result = simulate(world(nodeAutoscaler, parts), { policy: 0, seed: 1 });
  return {
    result,
    decisions: result.decisions.map(({ atSeconds, summary }) => `${atSeconds}: ${summary}`),
    nodes: result.series.nodes?.[0]?.values ?? [],
    ready: result.series.readyReplicas[0]!.values,
  };
}

/** Steps (of one second) at whose end the value differs from the one before, as `second: value`. */
const changes = (values: readonly number[]): string[] =>
  values.flatMap((value, i) => (i > 0 && value !== values[i - 1] ? [`${i + 1}: ${value}`] : []));

test('B15 in a run: scan, request, start, ready, bound, pulled, started, ready at the probe', (t) => {
  // Three pods of 2 cores: two fill the node, the third waits from time 0.
  const { result, decisions, nodes, ready } = run(clusterAutoscaler(), { services: [pods(3, 2)] });
  t.deepEqual(decisions, ['10: add 1 node to general in r/a']);
  // First scan at 10 s, ready 60 s later.
  t.deepEqual(changes(nodes), ['70: 2']);
  // Bound at 70 s, 2 s of pull, 3 s until it answers: the probes of its start at 72 s, one a second, find it at 75 s.
  t.deepEqual(changes(ready), ['75: 3']);
  const { nodeScaling } = result;
  t.is(nodeScaling!.podsThatWaited, 1);
  t.is(nodeScaling!.nodesAdded, 1);
});

test('B15 in a run: no group grows beyond its maximum', (t) => {
  const { decisions, nodes, ready } = run(clusterAutoscaler(), { services: [pods(10, 4)] });
  t.deepEqual(decisions, ['10: add 2 nodes to general in r/a']);
  t.is(nodes.at(-1), 3);
  t.is(ready.at(-1), 3);
});

test('B15 worked, in a run: 0.45 of a node is unneeded and goes after 10 min, 0.50 stays', (t) => {
  const run45 = (cores: number) =>
    run(clusterAutoscaler(), {
      nodes: [node(0), node(1)],
      services: [pods(1, 2, { name: 'half' }), pods(1, cores, { name: 'other' })],
      run: { durationUs: 15 * MINUTE },
    });
  const going = run45(1.8);
  // Unneeded since the scan at 10 s; more than 10 min later is the scan at 620 s.
  t.is(going.decisions.length, 1);
  t.regex(going.decisions[0]!, /^620: remove general-r-a-[01], draining it$/);
  // Tainted for 5 s, then evicted: the pod leaves 1.2 s later, and the next look, 5 s after, finds the node empty.
  t.deepEqual(changes(going.nodes), ['630: 1']);
  t.is(going.result.cost.nodesUsdPerHour, Math.round(((0.2 * (900 + 630)) / 900) * 1e6) / 1e6);
  t.is(going.result.nodeScaling!.meanNodes, 1.7);
  const staying = run45(2);
  t.deepEqual(staying.decisions, []);
  t.is(staying.result.cost.nodesUsdPerHour, 0.4);
});

/** A node that stays (of a pool that nobody may touch) and one that may go, a pod of one core on each. */
const spread = {
  nodes: [node(0), aNode('fixed-r-a-0', 0, { pool: 'fixed', cpuMillicores: 4000, memoryBytes: 16 * GI })],
  pools: [aPool({ groups: [{ minNodes: 0, maxNodes: 3 }] }), aPool({ name: 'fixed', groups: null, karpenter: null })],
};

test('B15 in a run: a budget that spares nobody keeps the node', (t) => {
  const held = (minAvailable: number) =>
    run(clusterAutoscaler(), {
      ...spread,
      services: [
        pods(2, 1, { disruptionBudget: { limit: { minAvailable }, unhealthyPodEviction: 'IfHealthyBudget' } }),
      ],
      run: { durationUs: 15 * MINUTE },
    });
  t.deepEqual(held(2).decisions, []);
  const { decisions, ready } = held(1);
  t.deepEqual(decisions, ['620: remove general-r-a-0, draining it']);
  // The replacement is made at 625 s on the other node, and ready at 630 s.
  t.deepEqual(changes(ready), ['625: 1', '630: 2']);
});

test('B15 in a run: what the autoscaler finds changed after its delay of 5 s stays, and the next removal waits 3 min', (t) => {
  const { decisions, nodes } = run(clusterAutoscaler(), {
    ...spread,
    services: [
      pods(2, 1, { disruptionBudget: { limit: { minAvailable: 1 }, unhealthyPodEviction: 'IfHealthyBudget' } }),
    ],
    run: { durationUs: 15 * MINUTE },
    over: { faults: [{ kind: 'podCrash', service: 0, pods: null, atUs: 622 * SECOND, forUs: null, rampUs: 0 }] },
  });
  // The timer of the node has run on, so it goes at the first scan that is 3 min past 625 s.
  t.deepEqual(decisions, [
    '620: remove general-r-a-0, draining it',
    '625: keep general-r-a-0',
    '810: remove general-r-a-0, draining it',
  ]);
  t.deepEqual(changes(nodes), ['820: 1']);
});

test('B15 in a run: a lost node is replaced by need, and removed after 20 min', (t) => {
  const { decisions } = run(clusterAutoscaler(), {
    services: [pods(1, 4)],
    over: { faults: [{ kind: 'nodeLoss', node: 0, atUs: 0, forUs: null }] },
    run: { durationUs: 40 * MINUTE },
  });
  // Not ready after 40 to 50 s, its pod evicted 300 s after that: pending at the scan at 350 s or 360 s.
  t.regex(decisions[0]!, /^3[5-6]0: add 1 node to general in r\/a$/);
  t.regex(decisions[1]!, /^1[2-9]\d0: remove general-r-a-0$/);
  t.is(decisions.length, 2);
});

test('B15 in a run: machines of a zone that is out never come, and are given up after 15 min', (t) => {
  const { decisions, result } = run(clusterAutoscaler(), {
    services: [pods(2, 4)],
    over: { faults: [{ kind: 'zoneOutage', zone: 0, atUs: 30 * SECOND, forUs: 60 * SECOND }] },
    run: { durationUs: 25 * MINUTE },
  });
  t.is(decisions[0], '10: add 1 node to general in r/a');
  // Due at 910 s, so the first scan past it gives up; the group backs off for 5 min.
  t.is(decisions[1], '920: give up 1 nodes of general in r/a');
  t.is(decisions[2], '1220: add 1 node to general in r/a');
  // The one that never came is not paid for: one node for 1500 s, one from 1220 s on.
  t.is(result.cost.nodesUsdPerHour, Math.round(((0.2 * (1500 + 280)) / 1500) * 1e6) / 1e6);
});

test('B16 in a run: a batch of 1 s, request, start, ready, bound, pulled, started, ready at the probe', (t) => {
  const { result, decisions, nodes, ready } = run(karpenter(), { services: [pods(3, 2)] });
  t.deepEqual(decisions, ['1: add general-r-a-1 (large)']);
  t.deepEqual(changes(nodes), ['61: 2']);
  // Bound at 61 s, pulled at 63 s, up at 66 s.
  t.deepEqual(changes(ready), ['66: 3']);
  t.is(result.nodeScaling!.meanWaitSeconds, 61);
});

test('B16 in a run: pods that keep coming are packed 10 s after the first', (t) => {
  // Thirteen pods that fill their nodes are evicted 0.9 s apart, from 10 s to 20.8 s.
  const count = 13;
  const { decisions } = run(karpenter({ consolidationPolicy: 'WhenEmpty', consolidateAfterUs: null }), {
    nodes: Array.from({ length: count }, (_, i) =>
      aNode(`fixed-${i}`, 0, { pool: 'fixed', cpuMillicores: 4000, memoryBytes: 16 * GI }),
    ),
    pools: [aPool({ karpenter: { weight: 0, isSpot: false, machines: [LARGE], zones: [0], limits: NONE } })],
    services: [pods(count, 4)],
    over: {
      faults: Array.from({ length: count }, (_, i) => ({
        kind: 'nodeDrain' as const,
        node: i,
        atUs: (10 + 0.9 * i) * SECOND,
        forUs: null,
      })),
    },
  });
  const at = decisions.map((text) => Number(text.split(':')[0]));
  // 10 s to 19.9 s are twelve pods. The last opens a batch at 20.8 s, and those that wait for their machines ask again
  // every 10 s, 0.9 s apart as before: they keep it open for as long as it may be.
  t.deepEqual(at, [...new Array<number>(12).fill(20), 30.8]);
});

const NONE = { cpuMillicores: Infinity, memoryBytes: Infinity, nodes: Infinity };

test('B16 in a run: a half empty node goes, and the cost falls by its price', (t) => {
  const { decisions, nodes, ready, result } = run(karpenter(), { nodes: [node(0), node(1)], services: [pods(2, 1)] });
  // Found by the loop at 10 s, still true 15 s later. 10 % of two nodes is one.
  t.deepEqual(decisions, ['25: remove general-r-a-0 (large)']);
  // The pod leaves at 26.2 s; the node is looked at every second.
  t.deepEqual(changes(nodes), ['27: 1']);
  t.deepEqual(changes(ready), ['25: 1', '30: 2']);
  const { costUsdPerHour } = result.series;
  const moved = costUsdPerHour.map((cost) => Math.round(cost! * 100) / 100);
  t.is(moved[20], 0.4);
  t.is(moved[30], 0.2);
  t.is(result.cost.nodesUsdPerHour, Math.round(((0.2 * (300 + 27)) / 300) * 1e6) / 1e6);
});

test('B16 in a run: a node is replaced by a cheaper one, which is ready before it goes', (t) => {
  const { decisions, nodes, ready, result } = run(karpenter(), {
    pools: [aPool({}, [LARGE, SMALL])],
    services: [pods(1, 1)],
  });
  t.deepEqual(decisions, ['25: replace general-r-a-0 (large) by general-r-a-1 (small)']);
  t.deepEqual(changes(nodes), ['85: 2', '87: 1']);
  t.deepEqual(changes(ready), ['85: 0', '90: 1']);
  t.is(result.series.costUsdPerHour.at(-1), 0.12);
});

test('B16 in a run: limits of a pool hold, and a budget that spares nobody keeps the node', (t) => {
  t.is(run(karpenter(), { services: [pods(10, 4)] }).nodes.at(-1), 3);
  const { decisions } = run(karpenter(), {
    nodes: [node(0), node(1)],
    services: [
      pods(2, 1, { disruptionBudget: { limit: { minAvailable: 2 }, unhealthyPodEviction: 'IfHealthyBudget' } }),
    ],
  });
  t.deepEqual(decisions, []);
});

test('hard spread: new nodes come in the zones that the pods may go to', (t) => {
  for (const autoscaler of [clusterAutoscaler(), karpenter()]) {
    const zones = 3;
    const scenario = world(autoscaler, {
      zones,
      nodes: Array.from({ length: zones }, (_, zone) =>
        aNode(`general-r-${'abc'[zone]}-0`, zone, { cpuMillicores: 4000, memoryBytes: 16 * GI }),
      ),
      pools: [
        aPool({
          groups: Array.from({ length: zones }, () => ({ minNodes: 1, maxNodes: 3 })),
          karpenter: { weight: 0, isSpot: false, machines: [LARGE], zones: [0, 1, 2], limits: NONE },
        }),
      ],
      services: [pods(6, 4, { spread: { zone: 'hard', maxSkew: 1 } })],
      loads: [aLoad(1, { from: [{ atUs: 0, shares: [1, 0, 0] }] })],
    });
    const { series } = simulate(scenario, { policy: 0, seed: 1 });
    t.deepEqual(
      series.readyReplicas.map(({ values }) => values.at(-1)),
      [2, 2, 2],
      autoscaler.kind,
    );
    t.deepEqual(
      series.nodes!.map(({ values }) => values.at(-1)),
      [2, 2, 2],
      autoscaler.kind,
    );
  }
});

test('the engine is told of a node once it is ready, and no more once it has gone', (t) => {
  const policy: Policy = { ...withNodes(karpenter()), engine: defaultEngineConfig };
  const seen: string[] = [];
  const scenario = world(karpenter(), {
    pools: [aPool({}, [LARGE, SMALL])],
    services: [pods(1, 1)],
    policies: [policy],
  });
  simulate(
    { ...scenario, run: { ...scenario.run, cycleUs: 10 * SECOND } },
    {
      policy: 0,
      seed: 1,
      onSnapshot: ({ atMs, input }) =>
        seen.push(`${atMs / 1000}: ${input.snapshot.nodes.map(({ name }) => name).join(' ')}`),
    },
  );
  // The node of the start is replaced by a smaller one: requested at 25 s, ready at 85 s, alone from 87 s on.
  t.true(seen.includes('77.5: general-r-a-0'));
  t.true(seen.includes('87.5: general-r-a-1'));
});

test('without an autoscaler the pools change no byte', (t) => {
  const bytes = (pools: readonly NodePool[]) =>
    JSON.stringify(simulate(world(null, { pools, services: [pods(3, 1)] }), { policy: 0, seed: 1 }));
  t.is(bytes([aPool()]), bytes([]));
});

/** Pods of next to nothing, so that room is no matter; `app: web` for rules to speak of. */
const crumbs = (replicas: number, parts: Partial<Service> = {}): Service =>
  pods(replicas, 0.01, { labels: { app: 'web' }, ...parts });
const web = { matchLabels: { app: 'web' }, matchExpressions: [] };
const hardSpread = (topologyKey: string, maxSkew: number): Service['scheduling']['topologySpread'][number] => ({
  ...{ topologyKey, maxSkew, whenUnsatisfiable: 'DoNotSchedule', selector: web },
  ...{ minDomains: 1, nodeAffinityPolicy: 'Honor', nodeTaintsPolicy: 'Ignore' },
});
/** The Cluster Autoscaler removes nothing that soon. */
const brief = { run: { durationUs: 2 * MINUTE } };
const upTo = (nodes: number): NodePool =>
  aPool({
    groups: [{ minNodes: 1, maxNodes: nodes }],
    karpenter: { weight: 0, isSpot: false, machines: [LARGE], zones: [0], limits: { ...NONE, nodes } },
  });

test('nodes come for pods that no node may take, though each has room for their requests', (t) => {
  // Two pods on a node: five need three nodes, and only maxPods says so.
  const full = { ...node(0), maxPods: 2 };
  for (const autoscaler of [clusterAutoscaler(), karpenter()]) {
    const { nodes, ready } = run(autoscaler, {
      nodes: [full],
      pools: [{ ...upTo(9), maxPods: 2 }],
      services: [crumbs(5)],
      ...brief,
    });
    t.deepEqual([nodes.at(-1), ready.at(-1)], [3, 5], autoscaler.kind);
  }
});

const apart = {
  ...aService().scheduling,
  podAntiAffinity: { required: [{ selector: web, topologyKey: 'kubernetes.io/hostname' }], preferred: [] },
};

test('pods that keep away from each other by host get a node each', (t) => {
  for (const autoscaler of [clusterAutoscaler(), karpenter()]) {
    const { decisions, nodes, ready } = run(autoscaler, {
      pools: [upTo(9)],
      services: [crumbs(5, { scheduling: apart })],
      ...brief,
    });
    t.deepEqual([nodes.at(-1), ready.at(-1)], [5, 5], autoscaler.kind);
    // All of them at the first scan, or in the first batch.
    const adds = autoscaler.kind === 'karpenter' ? [1, 2, 3, 4].map((n) => `1: add general-r-a-${n} (large)`) : [];
    t.deepEqual(decisions, autoscaler.kind === 'karpenter' ? adds : ['10: add 4 nodes to general in r/a']);
  }
});

test('a hard spread by host lets as many pods onto a node as its maxSkew', (t) => {
  const spreadByHost = hardSpread('kubernetes.io/hostname', 2);
  for (const autoscaler of [clusterAutoscaler(), karpenter()]) {
    const { nodes, ready } = run(autoscaler, {
      // A node that stays and takes nobody: it holds the minimum at none.
      nodes: [node(0), aNode('fixed-r-a-0', 0, { pool: 'fixed', maxPods: 0 })],
      pools: [upTo(9), aPool({ name: 'fixed', groups: null, karpenter: null })],
      services: [crumbs(6, { scheduling: { ...aService().scheduling, topologySpread: [spreadByHost] } })],
      ...brief,
    });
    // Two on the node of the start, and two nodes for the other four.
    t.deepEqual([nodes.at(-1), ready.at(-1)], [4, 6], autoscaler.kind);
  }
});

test('a scale-down knows who keeps away from whom', (t) => {
  for (const autoscaler of [clusterAutoscaler(), karpenter()]) {
    const both = (scheduling: Service['scheduling']) =>
      run(autoscaler, {
        nodes: [node(0), node(1)],
        services: [crumbs(2, { scheduling })],
        run: { durationUs: 15 * MINUTE },
      }).nodes.at(-1);
    t.deepEqual([both(apart), both(aService().scheduling)], [2, 1], autoscaler.kind);
  }
});

test('a spread over zones in the pod template: new nodes come in all of them', (t) => {
  const byZone = hardSpread('topology.kubernetes.io/zone', 1);
  for (const autoscaler of [clusterAutoscaler(), karpenter()]) {
    const zones = 3;
    const scenario = world(autoscaler, {
      zones,
      nodes: Array.from({ length: zones }, (_, zone) =>
        aNode(`general-r-${'abc'[zone]}-0`, zone, { cpuMillicores: 4000, memoryBytes: 16 * GI }),
      ),
      pools: [
        aPool({
          labels: [{}, {}, {}],
          groups: Array.from({ length: zones }, () => ({ minNodes: 1, maxNodes: 3 })),
          karpenter: { weight: 0, isSpot: false, machines: [LARGE], zones: [0, 1, 2], limits: NONE },
        }),
      ],
      // One fills a node.
      services: [
        pods(6, 4, {
          labels: { app: 'web' },
          scheduling: { ...aService().scheduling, topologySpread: [byZone] },
        }),
      ],
      loads: [aLoad(1, { from: [{ atUs: 0, shares: [1, 0, 0] }] })],
    });
    const { series } = simulate(scenario, { policy: 0, seed: 1 });
    const last = (rows: readonly { readonly values: readonly number[] }[]) => rows.map(({ values }) => values.at(-1));
    t.deepEqual(last(series.readyReplicas), [2, 2, 2], autoscaler.kind);
    t.deepEqual(last(series.nodes!), [2, 2, 2], autoscaler.kind);
  }
});

test('what a gate of its template holds gets no node before the gate is lifted', (t) => {
  const gates = [{ name: 'example.com/quota', liftedAfterUs: 125 * SECOND }];
  const services = [
    pods(1, 4, { name: 'open', terminationGraceUs: 0 }),
    pods(1, 4, { name: 'held', terminationGraceUs: 0, scheduling: { ...aService().scheduling, gates } }),
  ];
  for (const autoscaler of [clusterAutoscaler(), karpenter()]) {
    const { decisions } = run(autoscaler, {
      nodes: [aNode('fixed-r-a-0', 0, { pool: 'fixed', cpuMillicores: 8000, memoryBytes: 32 * GI })],
      pools: [
        aPool({ groups: [{ minNodes: 0, maxNodes: 3 }] }),
        aPool({ name: 'fixed', groups: null, karpenter: null }),
      ],
      services,
      over: { faults: [{ kind: 'nodeDrain', node: 0, atUs: 30 * SECOND, forUs: null }] },
    });
    // Both are evicted at 30 s; the gate is lifted at 155 s. The next scan; a batch of one second.
    const expected =
      autoscaler.kind === 'karpenter'
        ? ['31: add general-r-a-0 (large)', '156: add general-r-a-1 (large)']
        : ['40: add 1 node to general in r/a', '160: add 1 node to general in r/a'];
    t.deepEqual(decisions, expected, autoscaler.kind);
  }
});
