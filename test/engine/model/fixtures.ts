/** A Service `web` of pods with one core, 20 ms of CPU a request (so 50 requests/s a pod), and what its callers offer. */
import { step, type EngineConfig, type SetRoute, type Snapshot, type StepOutput } from '../../../engine/index.js';
import type { ModelSettings } from '../../../engine/model/settings.js';
import { defaultModelSettings } from '../../../engine/model/settings.js';
import { aNode, aPod, aRule, aSnapshot, aWorkload, anInput } from '../fixtures.js';

export const CPU_MS = 20;

export interface WebCase {
  /** By zone `eu/x`. */
  readonly pods: Readonly<Record<string, number>>;
  readonly offered: Readonly<Record<string, number>>;
  /** Percent by target, by source; left out: no row stands. */
  readonly rows?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly cpuMs?: Readonly<Record<string, number>>;
  readonly crossMs?: number;
  readonly ageMs?: number;
  /** Locality priority stands where no row does. */
  readonly nearest?: boolean;
}

/** The metrics are those of a mesh that has had these rows for a while: CPU pinned where a zone is overloaded. */
export function webSnapshot(one: WebCase): Snapshot {
  const zones = Object.keys(one.pods);
  const loads = new Map(zones.map((zone) => [zone, 0]));
  const allPods = zones.reduce((sum, zone) => sum + one.pods[zone]!, 0);
  for (const [from, rate] of Object.entries(one.offered)) {
    const row = one.rows?.[from];
    for (const zone of zones) {
      const share = row ? (row[zone] ?? 0) / 100 : one.nearest ? Number(zone === from) : one.pods[zone]! / allPods;
      loads.set(zone, loads.get(zone)! + rate * share);
    }
  }
  const busy = zones.map((zone) => {
    const perPod = 1000 / (one.cpuMs?.[zone] ?? CPU_MS);
    const answered = Math.min(loads.get(zone)!, perPod * one.pods[zone]!);
    return { zone, answered, cpu: one.pods[zone]! > 0 ? (1000 * answered) / perPod / one.pods[zone]! : 0 };
  });
  const health = { status: 'ok', ageMs: one.ageMs ?? 1000 } as const;
  const distribute = Object.entries(one.rows ?? {}).map(([from, to]) => ({
    from: `${from}/*`,
    to: Object.fromEntries(Object.entries(to).map(([zone, percent]) => [`${zone}/*`, percent])),
  }));
  return aSnapshot({
    health: { prometheus: health, istio: health, latencyProber: health },
    nodes: zones.map((zone) =>
      aNode(`n-${zone}`, zone, { allocatable: { cpuMillicores: 64_000, memoryBytes: 2 ** 40 } }),
    ),
    workloads: [aWorkload('web', allPods)],
    pods: busy.flatMap(({ zone, cpu }) =>
      Array.from({ length: one.pods[zone]! }, (_, index) => aPod('web', `n-${zone}`, `web-${zone}-${index}`, cpu)),
    ),
    latencies: {
      zones: zones.flatMap((from) => zones.map((to) => ({ from, to, rttMs: from === to ? 0.3 : (one.crossMs ?? 1) }))),
      nodes: [],
    },
    responseTimes: busy.map(({ zone, answered }) => ({
      namespace: 'default',
      workload: 'web',
      node: `n-${zone}`,
      p95Ms: 50,
      requestsPerSecond: answered,
    })),
    offered: Object.entries(one.offered).map(([sourceZone, requestsPerSecond]) => ({
      sourceZone,
      destination: { namespace: 'default', service: 'web' },
      requestsPerSecond,
    })),
    destinationRules: [
      aRule('web', {
        trafficPolicy: {
          ...(one.nearest ? { outlierDetection: {} } : {}),
          loadBalancer: { localityLbSetting: distribute.length > 0 ? { distribute } : {} },
        },
      }),
    ],
  });
}

export function decideWeb(
  one: WebCase,
  model: Partial<ModelSettings> = {},
  over: { readonly memory?: StepOutput['memory']; readonly config?: Partial<EngineConfig> } = {},
): StepOutput {
  return step(
    anInput(webSnapshot(one), {
      scaler: { mode: 'off' },
      balancer: { rule: 'model', model: { ...defaultModelSettings, ...model } },
      ...over,
    }),
  );
}

export type Rows = Readonly<Record<string, Readonly<Record<string, number>>>>;

export function rowsOf({ decisions }: StepOutput): Rows | null {
  const route = routeOf({ decisions } as StepOutput);
  if (!route) return null;
  const plain = (key: string): string => key.replace(/\/\*$/, '');
  return Object.fromEntries(
    route.distribute.map(({ from, to }) => [
      plain(from),
      Object.fromEntries(Object.entries(to).map(([zone, percent]) => [plain(zone), percent])),
    ]),
  );
}

export function routeOf({ decisions }: StepOutput): SetRoute | undefined {
  return decisions.find((decision): decision is SetRoute => decision.kind === 'setRoute');
}

/** Rows after each pass, the world following; the last ones stand where a pass leaves them alone. */
export function passes(one: WebCase, count: number, model: Partial<ModelSettings> = {}): Rows[] {
  const history: Rows[] = [];
  let rows = one.rows;
  for (let pass = 0; pass < count; pass++) {
    const next = rowsOf(decideWeb(rows === undefined ? one : { ...one, rows }, model));
    if (next) rows = next;
    history.push(rows ?? {});
  }
  return history;
}

/** Share of the offered requests that leave their zone. */
export function crossShare({ offered }: WebCase, rows: Rows): number {
  const total = Object.values(offered).reduce((sum, rate) => sum + rate, 0);
  let crossing = 0;
  for (const [from, rate] of Object.entries(offered)) crossing += rate * (1 - (rows[from]![from] ?? 0) / 100);
  return crossing / total;
}

/** Utilisation by zone under the rows. */
export function utilizations(one: WebCase, rows: Rows): number[] {
  return Object.entries(one.pods).map(([zone, pods]) => {
    let load = 0;
    for (const [from, rate] of Object.entries(one.offered)) load += (rate * (rows[from]![zone] ?? 0)) / 100;
    return (load * (one.cpuMs?.[zone] ?? CPU_MS)) / 1000 / pods;
  });
}
