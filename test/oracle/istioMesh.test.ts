/**
 * What istiod tells a sidecar, against istio/answers (README.md): priorities and weights of zones, the settings of a
 * cluster, and the routes of a host. The form of a case is written above the Go function that makes it.
 */
import test from 'ava';
import { readClusterPolicy } from '../../sim/mesh/clusterPolicy.js';
import { readHttpRoutes, routeOfRequest, type HttpRoute } from '../../sim/mesh/httpRoutes.js';
import { buildRoute } from '../../sim/mesh/locality.js';
import { overprovisionedShare, priorityState } from '../../sim/mesh/priority.js';
import { istioCasesOf } from './cases.js';

type Spec = Readonly<Record<string, unknown>>;

/** 1.30 cannot be asked: README.md says why. */
const RELEASES = [['1.31', '>=1.31', 31]] as const;

/** Envoy's own, where Istio sets none. */
const PANIC_PERCENT = 50;

type Group = readonly [zone: string, priority: number, weight: number, members: readonly number[]];
type LocalityCase = readonly [
  zone: string,
  node: string,
  trafficPolicy: Spec | null,
  meshSetting: Spec | null,
  distribution: string | null,
  endpoints: readonly (readonly [zone: string, node: string, ready: 0 | 1])[],
  answer: readonly [weighted: 0 | 1, panic: number | null, algorithm: string, groups: readonly Group[]],
];

const FILES = [
  ['locality', 'zones'],
  ['subzones', 'subzones'],
] as const;

for (const [[release, compat], [file, what]] of RELEASES.flatMap((one) => FILES.map((two) => [one, two] as const)))
  test(`${what} have the priorities and weights that Istio ${release} gives them`, (t) => {
    for (const one of istioCasesOf<LocalityCase>(release, file)) {
      const [clientLocality, clientNode, trafficPolicy, meshSetting, trafficDistribution, endpoints, answer] = one;
      const [weighted, panic, algorithm, groups] = answer;
      const route = buildRoute({
        clientLocality,
        clientNode,
        endpoints: endpoints.map(([zone, node, ready], index) => ({ index, zone, node, healthy: ready === 1 })),
        destinationRule: trafficPolicy === null ? null : { host: 'web', trafficPolicy },
        meshSetting,
        trafficDistribution,
        compat,
      });
      const said = [route.localityWeighted, route.algorithm, sorted(route.priorities)];
      const isReady = (index: number) => endpoints[index]![2] === 1;
      const wanted = prioritiesOf(groups, panic ?? PANIC_PERCENT, isReady);
      t.deepEqual(said, [weighted === 1, algorithm, sorted(wanted)], JSON.stringify(one));
    }
  });

/** What Envoy makes of the groups: our own rules for that are tested elsewhere, this is about what goes into them. */
function prioritiesOf(groups: readonly Group[], panicPercent: number, isReady: (index: number) => boolean) {
  const count = Math.max(1, ...groups.map(([, priority]) => priority + 1));
  const levels = Array.from({ length: count }, (_, level) => groups.filter(([, priority]) => priority === level));
  const ready = (group: Group) => group[3].filter(isReady);
  const sum = (level: readonly Group[], size: (group: Group) => number) =>
    level.reduce((total, group) => total + size(group), 0);
  const state = priorityState(
    levels.map((level) => sum(level, (group) => ready(group).length)),
    levels.map((level) => sum(level, (group) => group[3].length)),
    panicPercent,
  );
  return levels.map((level, p) => {
    const inPanic = state.panic[p]! && level.length > 0;
    const localities = level.flatMap((group) => {
      const used = inPanic ? group[3] : ready(group);
      const effectiveWeight = group[2] * overprovisionedShare(ready(group).length, group[3].length);
      return used.length === 0 ? [] : [{ locality: group[0], weight: group[2], effectiveWeight, endpoints: used }];
    });
    return { loadPercent: state.loadPercent[p]!, panic: inPanic, localities };
  });
}

/** Istio sorts zones by name, we take them as they come. */
function sorted<
  Priority extends {
    readonly localities: readonly { readonly locality: string; readonly endpoints: readonly number[] }[];
  },
>(priorities: readonly Priority[]) {
  return priorities.map((priority) => ({
    ...priority,
    localities: priority.localities
      .map((locality) => ({ ...locality, endpoints: [...locality.endpoints].sort((a, b) => a - b) }))
      .sort((a, b) => a.locality.localeCompare(b.locality)),
  }));
}

type Outlier = readonly (number | null)[];
type ClusterCase = readonly [
  rule: Spec,
  subset: string | null,
  answer: readonly [
    algorithm: string,
    tableSize: number | null,
    warmup: readonly [windowMs: number, aggression: number | null, leastPercent: number | null] | null,
    outlier: Outlier | null,
    pool: readonly [
      connections: number,
      pending: number,
      requests: number,
      retries: number,
      connectMs: number,
      budget: readonly [percent: number, least: number] | null,
    ],
  ],
];

for (const [release] of RELEASES)
  test(`clusters have the settings that Istio ${release} gives them`, (t) => {
    for (const one of istioCasesOf<ClusterCase>(release, 'clusters')) {
      const [rule, subset, [algorithm, tableSize, warmup, outlier, pool]] = one;
      const policy = readClusterPolicy(rule, subset);
      const isHashed = algorithm === 'RING_HASH' || algorithm === 'MAGLEV';
      const said = {
        algorithm: policy.algorithm,
        tableSize: policy.hash?.size ?? null,
        // Envoy knows no slow start for the other algorithms, and Istio leaves it out.
        warmup: algorithm === 'RANDOM' || isHashed ? null : policy.warmup,
        outlier: policy.outlier && { ...policy.outlier, minHealthPercent: null },
        pool: { ...policy.pool, maxRequestsPerConnection: null },
      };
      const envoyTable = algorithm === 'MAGLEV' ? 65_537 : 1024;
      const wanted = {
        algorithm,
        tableSize: isHashed ? (tableSize ?? envoyTable) : null,
        warmup:
          isHashed || warmup === null
            ? null
            : { windowUs: warmup[0] * 1000, aggression: warmup[1] ?? 1, minimumPercent: warmup[2] ?? 10 },
        outlier: outlier === null ? null : outlierOf(outlier),
        pool: {
          maxConnections: unlimited(pool[0]),
          maxPending: unlimited(pool[1]),
          maxRequests: unlimited(pool[2]),
          maxRetries: unlimited(pool[3]),
          maxRequestsPerConnection: null,
          // Istio's default, which our table leaves open.
          connectTimeoutUs: pool[4] === 10_000 && policy.pool.connectTimeoutUs === null ? null : pool[4] * 1000,
          retryBudget: pool[5] === null ? null : { percent: pool[5][0], minRetryConcurrency: pool[5][1] },
        },
      };
      t.deepEqual(said, wanted, JSON.stringify(one));
    }
  });

/** Envoy's defaults where Istio says nothing; what is not enforced does not count. */
function outlierOf([fiveXx, enforced, gateway, gatewayEnforced, interval, base, most, split, local]: Outlier) {
  return {
    consecutive5xx: enforced === 0 ? 0 : (fiveXx ?? 5),
    consecutiveGateway: (gatewayEnforced ?? 0) === 0 ? 0 : gateway!,
    intervalUs: (interval ?? 10_000) * 1000,
    baseEjectionUs: (base ?? 30_000) * 1000,
    maxEjectionPercent: most ?? 10,
    minHealthPercent: null,
    splitLocalOrigin: split === 1,
    consecutiveLocalOrigin: local ?? 5,
  };
}

function unlimited(count: number): number {
  return count === 2 ** 32 - 1 ? Infinity : count;
}

type RealRoute = readonly [
  path: readonly [kind: 'prefix' | 'exact' | 'regex', text: string, sensitive: 0 | 1],
  destinations: readonly (readonly [cluster: string, weight: number])[],
  timeoutMs: number,
  retries:
    | readonly [
        attempts: number,
        retryOn: string,
        codes: readonly number[],
        perTryMs: number | null,
        backOffMs: number | null,
        avoids: 0 | 1,
      ]
    | null,
  fault: readonly [delayMillionths: number, delayMs: number, abortMillionths: number, status: number] | null,
  mirror: readonly [cluster: string, millionths: number] | null,
];
type RoutesCase = readonly [spec: Spec | null, routes: readonly RealRoute[]];

for (const [release, , istioMinor] of RELEASES)
  test(`requests take the routes that Istio ${release} makes`, (t) => {
    for (const one of istioCasesOf<RoutesCase>(release, 'routes')) {
      const [spec, real] = one;
      const routes = readHttpRoutes(spec, istioMinor);
      for (const endpoint of ['list', 'List', 'l', 'buy', 'other']) {
        const ours = routeOfRequest(routes, endpoint, 'frontend', istioMinor);
        const theirs = real.find(([path]) => takes(path, `/${endpoint}`));
        const said = ours === null ? null : summary(ours);
        t.deepEqual(said, theirs === undefined ? null : realSummary(theirs), `/${endpoint} of ${JSON.stringify(one)}`);
      }
    }
  });

function takes([kind, text, sensitive]: RealRoute[0], path: string): boolean {
  if (kind === 'regex') {
    const isFolded = text.startsWith('(?i)');
    return new RegExp(`^(?:${text.replace('(?i)', '')})$`, isFolded ? 'i' : '').test(path);
  }
  const fold = (given: string) => (sensitive === 1 ? given : given.toLowerCase());
  return kind === 'exact' ? fold(path) === fold(text) : fold(path).startsWith(fold(text));
}

function summary(route: HttpRoute) {
  const { attempts, retryOn, perTryTimeoutUs, backOffBaseUs } = route.retries;
  const mirror = route.mirror !== null && route.mirror.percent > 0 ? route.mirror : null;
  const fault = route.fault ?? { delay: null, abort: null };
  return {
    // Without a VirtualService a route leads to the called host itself.
    destinations: (route.destinations.length === 0 ? [{ host: 'web', subset: null, weight: 1 }] : route.destinations)
      .filter(({ weight }) => weight > 0)
      .map(({ host, subset, weight }, _, all) => [host, subset, all.length === 1 ? 1 : weight]),
    timeoutUs: route.timeoutUs,
    retries: attempts === 0 ? null : { attempts, retryOn, perTryTimeoutUs, backOffBaseUs },
    fault: [
      fault.delay === null ? null : [Math.round(fault.delay.percent * 10_000), fault.delay.fixedUs],
      fault.abort === null ? null : [Math.round(fault.abort.percent * 10_000), fault.abort.httpStatus],
    ],
    mirror: mirror === null ? null : [mirror.host, Math.round(mirror.percent * 10_000)],
  };
}

function realSummary([, destinations, timeoutMs, retries, fault, mirror]: RealRoute): ReturnType<typeof summary> {
  const [delay, delayMs, abort, status] = fault ?? [-1, -1, -1, -1];
  const perTryUs = (retries?.[3] ?? 0) * 1000;
  return {
    destinations: destinations.map(([cluster, weight], _, all) => {
      const [, , subset, host] = cluster.split('|');
      return [host!.split('.')[0]!, subset === '' ? null : subset!, all.length === 1 ? 1 : weight];
    }),
    timeoutUs: timeoutMs * 1000,
    retries:
      retries === null
        ? null
        : {
            attempts: retries[0],
            retryOn: conditions(retries[1].split(','), retries[2]),
            // Envoy ignores one that is not below the time-out of the whole.
            perTryTimeoutUs: timeoutMs > 0 && perTryUs >= timeoutMs * 1000 ? 0 : perTryUs,
            // Envoy's own base.
            backOffBaseUs: (retries[4] ?? 25) * 1000,
          },
    fault: [delay < 0 ? null : [delay, delayMs * 1000], abort < 0 ? null : [abort, status]],
    mirror: mirror === null ? null : [mirror[0].split('|')[3]!.split('.')[0]!, mirror[1]],
  };
}

function conditions(words: readonly string[], codes: readonly number[]): HttpRoute['retries']['retryOn'] {
  return {
    connectFailure: words.includes('connect-failure'),
    refusedStream: words.includes('refused-stream'),
    unavailable: words.includes('unavailable'),
    cancelled: words.includes('cancelled'),
    gatewayError: words.includes('gateway-error'),
    fiveXx: words.includes('5xx'),
    reset: words.includes('reset'),
    retriable4xx: words.includes('retriable-4xx'),
    // Codes count only beside their word, which Istio adds.
    statusCodes: words.includes('retriable-status-codes') ? codes : [],
  };
}
