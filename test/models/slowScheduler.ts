/**
 * The scheduler as anyone would write it from the rules: for each node, ask every rule anew over all bound pods. It shares
 * no code with the fast one, only the types of what it is told. `podsOfService` is not used: constraints need selectors.
 */
import type { AffinityTerm, BoundPod, ScheduleInput, SpreadConstraint } from '../../sim/cluster/schedulerInput.js';
import type { LabelSelector, Labels, NodeSelectorTerm, Requirement } from '../../sim/cluster/selectors.js';

type Node = ScheduleInput['nodes'][number];

const LONG: Record<string, string> = { zone: 'topology.kubernetes.io/zone', hostname: 'kubernetes.io/hostname' };

/** Total score per node that may take the pod. */
export function slowScores(input: ScheduleInput): Map<number, number> {
  const all = input.nodes.map((_, n) => n);
  const passing = all.filter((n) => passes(input, n));
  const preferences = passing.map((n) =>
    (input.pod.preferredNodes ?? [])
      .filter(({ term }) => nodeTermHolds(term, input, n))
      .reduce((sum, { weight }) => sum + weight, 0),
  );
  const dislikes = passing.map(
    (n) =>
      taintsOf(input.nodes[n]!).filter((taint) => taint.effect === 'PreferNoSchedule' && !borne(input, taint)).length,
  );
  const affinities = passing.map((n) => affinitySum(input, n));
  const spreads = softSpread(input, passing);
  return new Map(
    passing.map((n, i) => {
      const worst = Math.max(...dislikes);
      const taint = worst === 0 ? 100 : 100 - Math.floor((100 * dislikes[i]!) / worst);
      const best = Math.max(...preferences);
      const nodeAffinity = best === 0 ? 0 : Math.floor((100 * preferences[i]!) / best);
      const [low, high] = [Math.min(...affinities), Math.max(...affinities)];
      const podAffinity = low === high ? 0 : Math.floor(100 * ((affinities[i]! - low) / (high - low)));
      return [
        n,
        3 * taint + 2 * nodeAffinity + resources(input, n) + 2 * spreads[i]! + 2 * podAffinity + images(input, n),
      ];
    }),
  );
}

function label(input: ScheduleInput, n: number, key: string): string | undefined {
  const node = input.nodes[n]!;
  const long = LONG[key] ?? key;
  if (node.labels && long in node.labels) return node.labels[long];
  if (long === LONG['zone']) return `${node.zone}`;
  return long === LONG['hostname'] ? (node.name ?? `${n}`) : undefined;
}

function requirementHolds({ operator, values }: Requirement, value: string | undefined): boolean {
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  if (operator === 'NotIn') return value === undefined || values.every((v) => v !== value);
  if (value === undefined) return false;
  if (operator === 'In') return values.some((v) => v === value);
  const [a, b] = [parseInt(value, 10), parseInt(values[0]!, 10)];
  return operator === 'Gt' ? a > b : a < b;
}

function nodeTermHolds(term: NodeSelectorTerm, input: ScheduleInput, n: number): boolean {
  const name = input.nodes[n]!.name ?? `${n}`;
  const answers = [
    ...term.matchExpressions.map((r) => requirementHolds(r, label(input, n, r.key))),
    ...term.matchFields.map((r) => requirementHolds(r, name)),
  ];
  return answers.length > 0 && !answers.includes(false);
}

function selectorHolds(selector: LabelSelector | null, labels: Labels): boolean {
  if (selector === null) return false;
  for (const key in selector.matchLabels) if (labels[key] !== selector.matchLabels[key]) return false;
  for (const r of selector.matchExpressions) if (!requirementHolds(r, labels[r.key])) return false;
  return true;
}

function taintsOf(node: Node) {
  const taints = [...(node.taints ?? [])];
  if (!node.schedulable) taints.push({ key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' });
  if (!node.ready) taints.push({ key: 'node.kubernetes.io/not-ready', value: '', effect: 'NoSchedule' });
  return taints;
}

function borne(input: ScheduleInput, taint: ReturnType<typeof taintsOf>[number]): boolean {
  for (const one of input.pod.tolerations ?? []) {
    if (one.effect !== null && one.effect !== taint.effect) continue;
    if (one.key === '' ? one.operator !== 'Exists' : one.key !== taint.key) continue;
    if (one.operator === 'Exists' || one.value === taint.value) return true;
  }
  return false;
}

const bearsTaints = (input: ScheduleInput, n: number): boolean =>
  !taintsOf(input.nodes[n]!).some((taint) => taint.effect !== 'PreferNoSchedule' && !borne(input, taint));

function belongs(input: ScheduleInput, n: number): boolean {
  const { pod, nodes } = input;
  if (pod.requiredNode !== null && pod.requiredNode !== n) return false;
  if (pod.requiredZone !== null && pod.requiredZone !== nodes[n]!.zone) return false;
  for (const key in pod.nodeSelector ?? {}) if (label(input, n, key) !== pod.nodeSelector![key]) return false;
  const terms = pod.nodeAffinity ?? [];
  return terms.length === 0 || terms.some((term) => nodeTermHolds(term, input, n));
}

function passes(input: ScheduleInput, n: number): boolean {
  const { pod, nodes } = input;
  const node = nodes[n]!;
  if (!bearsTaints(input, n) || !belongs(input, n)) return false;
  for (const mine of pod.hostPorts ?? []) {
    for (const theirs of node.usedPorts ?? []) {
      const sameAddress = mine.hostIp === theirs.hostIp || [mine.hostIp, theirs.hostIp].includes('0.0.0.0');
      if (sameAddress && mine.port === theirs.port && mine.protocol === theirs.protocol) return false;
    }
  }
  if (node.maxPods !== undefined && (node.podCount ?? 0) >= node.maxPods) return false;
  for (const resource of ['cpuMillicores', 'memoryBytes'] as const) {
    const request = pod.requests[resource];
    if (request > 0 && node.requested[resource] + request > node.allocatable[resource]) return false;
  }
  return hardSpreadHolds(input, n) && affinityHolds(input, n);
}

const isHard = ({ whenUnsatisfiable }: SpreadConstraint) => whenUnsatisfiable === 'DoNotSchedule';

function counts(input: ScheduleInput, c: SpreadConstraint, keys: string[], n: number): boolean {
  if (keys.some((key) => label(input, n, key) === undefined)) return false;
  if (c.nodeAffinityPolicy !== 'Ignore' && !belongs(input, n)) return false;
  return c.nodeTaintsPolicy === 'Ignore' || bearsTaints(input, n);
}

/** Pods in the domain, as far as the constraint counts them: with an empty selector, none. */
function podsIn(input: ScheduleInput, c: SpreadConstraint, keys: string[], domain: string): number {
  const { matchLabels, matchExpressions } = c.selector!;
  if (Object.keys(matchLabels).length + matchExpressions.length === 0) return 0;
  return (input.boundPods ?? []).filter(
    (bound) =>
      !bound.terminating &&
      bound.namespace === (input.pod.namespace ?? 'default') &&
      selectorHolds(c.selector!, bound.labels) &&
      counts(input, c, keys, bound.node) &&
      label(input, bound.node, c.topologyKey) === domain,
  ).length;
}

function hardSpreadHolds(input: ScheduleInput, n: number): boolean {
  const hard = input.pod.spread.filter(isHard);
  const keys = hard.map(({ topologyKey }) => topologyKey);
  return hard.every((c) => {
    const here = label(input, n, c.topologyKey);
    if (here === undefined) return false;
    const counted = input.nodes.map((_, m) => m).filter((m) => counts(input, c, keys, m));
    const domains = new Set(counted.map((m) => label(input, m, c.topologyKey)!));
    let least = Math.min(...[...domains].map((domain) => podsIn(input, c, keys, domain)));
    if (domains.size < (c.minDomains ?? 1)) least = 0;
    const self = selectorHolds(c.selector!, input.pod.labels ?? {}) ? 1 : 0;
    return podsIn(input, c, keys, here) + self - least <= c.maxSkew;
  });
}

function softSpread(input: ScheduleInput, passing: number[]): number[] {
  const soft = input.pod.spread.filter((c) => !isHard(c));
  if (soft.length === 0) return passing.map(() => 0);
  const keys = soft.map(({ topologyKey }) => topologyKey);
  const complete = passing.filter((n) => keys.every((key) => label(input, n, key) !== undefined));
  const raw = new Map(
    complete.map((n) => {
      let sum = 0;
      for (const c of soft) {
        const domains =
          c.topologyKey === 'hostname'
            ? complete.length
            : new Set(complete.map((m) => label(input, m, c.topologyKey))).size;
        sum += podsIn(input, c, keys, label(input, n, c.topologyKey)!) * Math.log(domains + 2) + c.maxSkew - 1;
      }
      return [n, Math.round(sum)];
    }),
  );
  const [low, high] = [Math.min(...raw.values()), Math.max(...raw.values())];
  return passing.map((n) => {
    if (!raw.has(n)) return 0;
    return high === 0 ? 100 : Math.floor((100 * (high + low - raw.get(n)!)) / high);
  });
}

function wants(owner: { namespace?: string }, term: AffinityTerm, other: Partial<BoundPod>): boolean {
  const spaces = term.namespaces.length > 0 ? term.namespaces : [owner.namespace ?? 'default'];
  return spaces.includes(other.namespace ?? 'default') && selectorHolds(term.selector, other.labels ?? {});
}

const sameDomain = (input: ScheduleInput, a: number, b: number, key: string): boolean =>
  label(input, a, key) !== undefined && label(input, a, key) === label(input, b, key);

function affinityHolds(input: ScheduleInput, n: number): boolean {
  const { pod } = input;
  const bound = input.boundPods ?? [];
  const near = pod.affinity?.required ?? [];
  const all = (other: Partial<BoundPod>) => near.every((term) => wants(pod, term, other));
  // A match somewhere without any of the labels is no match.
  const matches = bound.filter(
    (other) => all(other) && near.some((term) => label(input, other.node, term.topologyKey) !== undefined),
  );
  const first = matches.length === 0 && all({ namespace: pod.namespace ?? 'default', labels: pod.labels ?? {} });
  for (const { topologyKey } of near) {
    if (label(input, n, topologyKey) === undefined) return false;
    if (!first && !matches.some((other) => sameDomain(input, n, other.node, topologyKey))) return false;
  }
  for (const other of bound) {
    for (const term of pod.antiAffinity?.required ?? []) {
      if (wants(pod, term, other) && sameDomain(input, n, other.node, term.topologyKey)) return false;
    }
    for (const term of other.antiAffinity.required) {
      const newcomer = { namespace: pod.namespace ?? 'default', labels: pod.labels ?? {} };
      if (wants(other, term, newcomer) && sameDomain(input, n, other.node, term.topologyKey)) return false;
    }
  }
  return true;
}

function affinitySum(input: ScheduleInput, n: number): number {
  const { pod } = input;
  const newcomer = { namespace: pod.namespace ?? 'default', labels: pod.labels ?? {} };
  let sum = 0;
  for (const other of input.boundPods ?? []) {
    const here = (term: AffinityTerm) => sameDomain(input, n, other.node, term.topologyKey);
    for (const term of pod.affinity?.preferred ?? []) if (here(term) && wants(pod, term, other)) sum += term.weight;
    for (const term of pod.antiAffinity?.preferred ?? []) if (here(term) && wants(pod, term, other)) sum -= term.weight;
    for (const term of other.affinity.required) if (here(term) && wants(other, term, newcomer)) sum += 1;
    for (const term of other.affinity.preferred) if (here(term) && wants(other, term, newcomer)) sum += term.weight;
    for (const term of other.antiAffinity.preferred) if (here(term) && wants(other, term, newcomer)) sum -= term.weight;
  }
  return sum;
}

/** LeastAllocated plus BalancedAllocation. */
function resources(input: ScheduleInput, n: number): number {
  const { allocatable, requested, nonZeroRequested } = input.nodes[n]!;
  const { requests } = input.pod;
  const free = (all: number, used: number) => (used > all ? 0 : Math.floor(((all - used) * 100) / all));
  const cpu = free(allocatable.cpuMillicores, nonZeroRequested.cpuMillicores + (requests.cpuMillicores || 100));
  const memory = free(allocatable.memoryBytes, nonZeroRequested.memoryBytes + (requests.memoryBytes || 209_715_200));
  const evenness = (withPod: 0 | 1) => {
    const f = Math.min(1, (requested.cpuMillicores + withPod * requests.cpuMillicores) / allocatable.cpuMillicores);
    const g = Math.min(1, (requested.memoryBytes + withPod * requests.memoryBytes) / allocatable.memoryBytes);
    return Math.floor((1 - Math.abs(f - g) / 2) * 100);
  };
  const minor = input.kubernetesMinor ?? 32;
  let balanced = minor >= 36 ? 50 + Math.floor((50 + evenness(1) - evenness(0)) / 2) : evenness(1);
  if (minor >= 33 && requests.cpuMillicores + requests.memoryBytes === 0) balanced = 0;
  return Math.floor((cpu + memory) / 2) + balanced;
}

function images(input: ScheduleInput, n: number): number {
  const wanted = input.pod.images ?? [];
  if (wanted.length === 0) return 0;
  let sum = 0;
  for (const image of wanted) {
    const holders = input.nodes.filter((node) => node.imageBytes?.[image] !== undefined).length;
    sum += Math.floor((input.nodes[n]!.imageBytes?.[image] ?? 0) * (holders / input.nodes.length));
  }
  const [low, high] = [23 * 1_048_576, 1000 * 1_048_576 * wanted.length];
  return Math.floor((100 * (Math.min(high, Math.max(low, sum)) - low)) / (high - low));
}
