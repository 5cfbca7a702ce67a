/**
 * What one metric of a HorizontalPodAutoscaler asks for, and what several ask for together. Five kinds: a resource of the
 * pods (or of one container in each) as a percentage of requests or as an average amount, a figure per pod, and one
 * figure of an object or from outside, whole or per pod. Pods without a figure are assumed to speak against the move.
 *
 * Amounts: millicores, bytes of memory, thousandths of any other unit. Several metrics: the largest count wins; a metric
 * that cannot be read forbids going down, but lets the others go up.
 *
 * Source: kube-controller-manager's replica_calculator.go, metrics/utilization.go and horizontal.go
 * (computeReplicasForMetrics); float64 and whole-number division as there.
 */

export interface MetricPod {
  readonly phase: 'Pending' | 'Running' | 'Failed';
  readonly deleting: boolean;
  readonly startedAtUs: number | null;
  readonly readyCondition: { readonly ready: boolean; readonly changedAtUs: number } | null;
  /** Whole number; of the named container for a container metric. Figures other than resources do not read it. */
  readonly requestAmount: number;
  /** Newest sample, a whole number, over the `windowUs` that ended at `atUs`; null where there is none. */
  readonly sample: { readonly amount: number; readonly atUs: number; readonly windowUs: number } | null;
}

/** Null for `pods` or `amount`: the metric could not be read at this sync. */
export type HpaMetric =
  | {
      readonly type: 'Resource' | 'ContainerResource';
      readonly resource: 'cpu' | 'memory';
      readonly target: { readonly utilizationPercent: number } | { readonly averageAmount: number };
      readonly pods: readonly MetricPod[] | null;
    }
  | {
      readonly type: 'Pods';
      readonly name: string;
      readonly averageAmount: number;
      readonly pods: readonly MetricPod[] | null;
    }
  | {
      readonly type: 'Object' | 'External';
      readonly name: string;
      readonly target: { readonly amount: number } | { readonly averageAmount: number };
      /** An outside metric with several series: their sum. */
      readonly amount: number | null;
    };

export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

export interface MetricContext {
  readonly nowUs: number;
  /** `spec.replicas` and `status.replicas` of the target. */
  readonly currentReplicas: number;
  readonly statusReplicas: number;
  /** Running pods whose Ready condition is true; null where the selector finds no pod at all. */
  readonly readyPodCount: number | null;
  readonly tolerances: Tolerances;
}

export interface MetricsVerdict {
  readonly replicas: number;
  /** The metric that asked for the most, or why nothing changes. */
  readonly because: string;
  readonly failures: readonly string[];
}

/** A younger pod's CPU counts only once it is ready and the sample lies wholly after that: starting up burns CPU. */
const CPU_INITIALIZATION_PERIOD_US = 300_000_000;
/** An older pod that went unready within this time of its start never was ready at all. */
const INITIAL_READINESS_DELAY_US = 30_000_000;
/** The mean of memory is cut to thousandths of a byte, as every quantity. */
const MILLI = 1000;

/** What all metrics together ask for, before any limit; a sentence where they cannot say. */
export function recommendByMetrics(metrics: readonly HpaMetric[], context: MetricContext): MetricsVerdict | string {
  const answers = metrics.map((metric) => ({ metric, answer: recommendByMetric(metric, context) }));
  const failures = answers.flatMap(({ metric, answer }) =>
    typeof answer === 'string' ? [`${nameOf(metric)}: ${answer}`] : [],
  );
  let best: { metric: HpaMetric; replicas: number } | null = null;
  for (const { metric, answer } of answers) {
    if (typeof answer === 'number' && (best === null || answer > best.replicas)) best = { metric, replicas: answer };
  }
  if (best === null || (failures.length > 0 && best.replicas < context.currentReplicas)) {
    return `${failures.length} of ${metrics.length} metrics cannot be read: ${failures[0] ?? 'there is none'}`;
  }
  return { replicas: best.replicas, because: `${nameOf(best.metric)} asks for ${best.replicas}`, failures };
}

function nameOf(metric: HpaMetric): string {
  return 'name' in metric ? `${metric.type} ${metric.name}` : `${metric.type} ${metric.resource}`;
}

/** What one metric asks for, before any limit; a sentence where it cannot say. */
export function recommendByMetric(metric: HpaMetric, context: MetricContext): number | string {
  switch (metric.type) {
    case 'Resource':
    case 'ContainerResource': {
      if (metric.pods === null) return 'no figures';
      const { resource, pods, target } = metric;
      if ('utilizationPercent' in target) {
        const found = byUtilization(context, pods, resource, target.utilizationPercent);
        return typeof found === 'string' ? found : found.replicas;
      }
      return byAverage(context, pods, resource, target.averageAmount);
    }
    case 'Pods':
      return metric.pods === null ? 'no figures' : byAverage(context, metric.pods, 'other', metric.averageAmount);
    case 'Object':
    case 'External':
      if (metric.amount === null) return 'no figure';
      return 'amount' in metric.target
        ? byWhole(context, metric.amount, metric.target.amount)
        : byShare(context, metric.amount, metric.target.averageAmount);
  }
}

/** Both edges belong to the tolerated range. */
export function isWithin(tolerances: Tolerances, ratio: number): boolean {
  return 1 - tolerances.down <= ratio && ratio <= 1 + tolerances.up;
}

export interface Recommendation {
  readonly replicas: number;
  readonly utilizationPercent: number;
}

type Asked = Pick<MetricContext, 'nowUs' | 'currentReplicas' | 'tolerances'>;

/** The ratio is sum of usage over sum of requests, floored to a percent, over the target. */
export function byUtilization(
  context: Asked,
  pods: readonly MetricPod[],
  resource: 'cpu' | 'memory',
  targetPercent: number,
): Recommendation | string {
  if (pods.length === 0) return 'no pods';
  if (pods.some(({ requestAmount }) => requestAmount <= 0)) {
    return `a pod has no ${resource === 'cpu' ? 'CPU' : 'memory'} request`;
  }
  const assumedPercent = Math.max(100, targetPercent);
  const found = fromPods(context, pods, resource, {
    ratioOf: (counted) => utilizationPercent(counted) / targetPercent,
    assumedDown: (pod) => quotient(pod.requestAmount * assumedPercent, 100),
    // A ratio of exactly 1 leaves missing pods out here.
    missingAtOne: 'left out',
  });
  if (typeof found === 'string') return found;
  return { replicas: found.replicas, utilizationPercent: utilizationPercent(found.ready) };
}

function utilizationPercent(counted: readonly Counted[]): number {
  return quotient(sumOf(counted) * 100, sum(counted.map(({ pod }) => pod.requestAmount)));
}

function byAverage(
  context: Asked,
  pods: readonly MetricPod[],
  resource: 'cpu' | 'memory' | 'other',
  averageAmount: number,
): number | string {
  if (pods.length === 0) return 'no pods';
  const scale = resource === 'memory' ? MILLI : 1;
  const found = fromPods(context, pods, resource, {
    ratioOf: (counted) => quotient(sumOf(counted) * scale, counted.length) / (averageAmount * scale),
    assumedDown: () => averageAmount,
    // And here, unlike there, they count as 0: a ratio of exactly 1 can so become a step down.
    missingAtOne: 'zero',
  });
  return typeof found === 'string' ? found : found.replicas;
}

interface Counted {
  readonly pod: MetricPod;
  readonly amount: number;
}

interface Rule {
  ratioOf(counted: readonly Counted[]): number;
  /** What a pod without a sample is taken to use when the others ask for fewer pods. */
  assumedDown(pod: MetricPod): number;
  readonly missingAtOne: 'left out' | 'zero';
}

function fromPods(
  context: Asked,
  pods: readonly MetricPod[],
  resource: 'cpu' | 'memory' | 'other',
  rule: Rule,
): { replicas: number; ready: readonly Counted[] } | string {
  const { currentReplicas: current, tolerances } = context;
  const classes = pods.map((pod) => classify(pod, context.nowUs, resource === 'cpu'));
  const inClass = (wanted: PodClass) => pods.filter((_, p) => classes[p] === wanted);
  const [unready, missing] = [inClass('unready'), inClass('missing')];
  const ready = inClass('ready').map((pod) => ({ pod, amount: pod.sample!.amount }));
  if (ready.length === 0) return 'no metrics for any ready pod';

  const ratio = rule.ratioOf(ready);
  const keep = { replicas: current, ready };
  const unreadyMatters = unready.length > 0 && ratio > 1;
  if (!unreadyMatters && missing.length === 0) {
    return isWithin(tolerances, ratio) ? keep : { replicas: Math.ceil(ratio * ready.length), ready };
  }

  const counted: Counted[] = [...ready];
  const add = (more: readonly MetricPod[], amountOf: (pod: MetricPod) => number) =>
    counted.push(...more.map((pod) => ({ pod, amount: amountOf(pod) })));
  if (ratio < 1) add(missing, (pod) => rule.assumedDown(pod));
  else if (ratio > 1 || rule.missingAtOne === 'zero') add(missing, () => 0);
  if (unreadyMatters) add(unready, () => 0);

  const filledRatio = rule.ratioOf(counted);
  const turnsRound = (ratio < 1 && filledRatio > 1) || (ratio > 1 && filledRatio < 1);
  if (isWithin(tolerances, filledRatio) || turnsRound) return keep;
  const replicas = Math.ceil(filledRatio * counted.length);
  const goesAgainst = (filledRatio < 1 && replicas > current) || (filledRatio > 1 && replicas < current);
  return goesAgainst ? keep : { replicas, ready };
}

type PodClass = 'ready' | 'unready' | 'missing' | 'ignored';

function classify(pod: MetricPod, nowUs: number, isCpu: boolean): PodClass {
  if (pod.deleting || pod.phase === 'Failed') return 'ignored';
  if (pod.phase === 'Pending') return 'unready';
  if (pod.sample === null) return 'missing';
  // Only CPU looks at readiness: memory and other figures of a starting pod are as good as any.
  if (!isCpu) return 'ready';
  const condition = pod.readyCondition;
  if (condition === null || pod.startedAtUs === null) return 'unready';
  const isYoung = pod.startedAtUs + CPU_INITIALIZATION_PERIOD_US > nowUs;
  const isUnready = isYoung
    ? !condition.ready || pod.sample.atUs < condition.changedAtUs + pod.sample.windowUs
    : !condition.ready && pod.startedAtUs + INITIAL_READINESS_DELAY_US > condition.changedAtUs;
  return isUnready ? 'unready' : 'ready';
}

/** One figure for all pods; from zero replicas the ratio is the count, and tolerance does not matter. */
function byWhole(context: MetricContext, amount: number, targetAmount: number): number | string {
  const ratio = amount / targetAmount;
  if (context.currentReplicas === 0) return Math.ceil(ratio);
  if (isWithin(context.tolerances, ratio)) return context.currentReplicas;
  return context.readyPodCount === null ? 'no pods' : Math.ceil(ratio * context.readyPodCount);
}

/** So much of one figure to each pod: pods need not be ready to take their share. */
function byShare(context: MetricContext, amount: number, averageAmount: number): number {
  const ratio = amount / (averageAmount * context.statusReplicas);
  return isWithin(context.tolerances, ratio) ? context.statusReplicas : Math.ceil(amount / averageAmount);
}

function sumOf(counted: readonly Counted[]): number {
  return sum(counted.map(({ amount }) => amount));
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}

/** Division of whole numbers, without the detour through a fraction that may round up. */
function quotient(dividend: number, divisor: number): number {
  return (dividend - (dividend % divisor)) / divisor;
}
