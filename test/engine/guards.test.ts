/** What the engine does when it cannot know: errors fail in the safe direction. */
import test from 'ava';
import { step, type Snapshot, type StepOutput } from '../../engine/index.js';
import { aNode, aPod, aRule, aSnapshot, aWorkload, anEdge, anInput, GIB } from './fixtures.js';

const answers = ({ decisions, skipped }: StepOutput): string[] => [
  ...decisions.map(({ kind }) => kind),
  ...skipped.map(({ part, reason }) => `${part} ${reason}`),
];

function web(cpu: number, over: Partial<Snapshot> = {}): Snapshot {
  return aSnapshot({
    nodes: ['a', 'b', 'c'].map((zone) =>
      aNode(`n-${zone}`, `eu/${zone}`, { allocatable: { cpuMillicores: 32_000, memoryBytes: 64 * GIB } }),
    ),
    workloads: [aWorkload('web', 3)],
    pods: ['a', 'b', 'c'].map((zone) => aPod('web', `n-${zone}`, `web-${zone}`, cpu)),
    edges: [anEdge('gw', 'eu/a', 'web', 100)],
    destinationRules: [aRule('web')],
    ...over,
  });
}

test('autoscalers that could not be listed forbid the way down, not the way up', (t) => {
  for (const list of ['horizontalPodAutoscalers', 'scaledObjects'] as const) {
    const down = step(anInput(web(10, { unreadableLists: [list] }), { balancer: { enabled: false } }));
    t.deepEqual(answers(down), ['scaler apiError']);
    t.regex(down.skipped[0]!.detail, /could not be listed/);
    const up = step(anInput(web(900, { unreadableLists: [list] }), { balancer: { enabled: false } }));
    t.deepEqual(answers(up), ['scaleUp']);
  }
});

test('budgets that could not be listed forbid the way down, not the way up', (t) => {
  const unreadableLists = ['podDisruptionBudgets'] as const;
  const off = { balancer: { enabled: false } };
  t.deepEqual(answers(step(anInput(web(10, { unreadableLists }), off))), ['scaler disruptionBudget']);
  t.deepEqual(answers(step(anInput(web(900, { unreadableLists }), off))), ['scaleUp']);
});

test('rules that could not be listed are not written over, though createRoutes would allow it', (t) => {
  const snapshot = web(500, { unreadableLists: ['destinationRules'], destinationRules: [] });
  t.deepEqual(answers(step(anInput(snapshot, { balancer: { createRoutes: true } }))), [
    'scaler withinThresholds',
    'balancer apiError',
  ]);
});

test('without Istio the balancer is off and the scaler works on', (t) => {
  const { health } = aSnapshot();
  const istio = { status: 'absent', ageMs: null } as const;
  const output = step(anInput(web(900, { health: { ...health, istio }, edges: [], responseTimes: [] })));
  t.deepEqual(answers(output), ['scaleUp', 'balancer istioAbsent']);
});

test('without Prometheus, or with stale figures, nothing is changed', (t) => {
  const { health } = aSnapshot();
  const absent = { ...health, prometheus: { status: 'absent', ageMs: null } } as const;
  const stale = { ...health, prometheus: { status: 'stale', ageMs: 90_000 } } as const;
  for (const cpu of [10, 900]) {
    t.deepEqual(answers(step(anInput(web(cpu, { health: absent })))), [
      'scaler metricsAbsent',
      'balancer metricsAbsent',
    ]);
    t.deepEqual(answers(step(anInput(web(cpu, { health: stale })))), ['scaler metricsStale', 'balancer metricsStale']);
  }
});

test('without the latency prober near is the same node, then the zone, the region, and the rest', (t) => {
  // All zones hold a replica; the caller runs on n-a1 of zone eu/a.
  const all = ['n-a1', 'n-a2', 'n-b', 'n-us'];
  const zoneOf: Record<string, string> = { 'n-a1': 'eu/a', 'n-a2': 'eu/a', 'n-b': 'eu/b', 'n-us': 'us/a' };
  const { health } = aSnapshot();
  const latencyProber = { status: 'absent', ageMs: null } as const;
  const placed = (withRoom: readonly string[]): string | false => {
    const nodes = all.map((name) =>
      aNode(name, zoneOf[name]!, withRoom.includes(name) ? {} : { requested: { cpuMillicores: 4000, memoryBytes: 0 } }),
    );
    const held = all.map((node) => aPod('web', node, `web-${node}`));
    const snapshot = aSnapshot({
      health: { ...health, latencyProber },
      nodes,
      workloads: [aWorkload('web', 5)],
      pods: [...held, aPod('web', null, 'new', 0, { gated: true, usage: null })],
      edges: [anEdge('gw', 'eu/a', 'web', 100, 'n-a1')],
      latencies: { zones: [], nodes: [] },
    });
    const [decision] = step(anInput(snapshot, { scope: 'placement', scaler: { maxZoneSkew: 9 } })).decisions;
    return decision?.kind === 'place' && decision.node;
  };
  t.is(placed(all), 'n-a1');
  t.is(placed(['n-a2', 'n-b', 'n-us']), 'n-a2');
  t.is(placed(['n-us', 'n-b']), 'n-b');
  t.is(placed(['n-us']), 'n-us');
});
