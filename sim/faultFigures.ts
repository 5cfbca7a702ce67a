/** What a fault did to the users, read off the time series, and what the last state of the cluster would survive. */
import type { FaultFigures, FaultTolerance, RunSeries } from '../traces/run-result.js';
import type { Fault, Scenario } from '../scenarios/types.js';
import { budgetFigures } from './control/drain.js';
import type { Sim } from './control/state.js';
import { round } from './control/series.js';
import { POD_SERVING } from './world.js';

/** A fault without an end is judged by its first five minutes: that long the default tolerations keep lost pods. */
const OPEN_FAULT_SECONDS = 300;
/** Back to normal: p95 at most this share above what it was before. */
const P95_WITHIN = 0.1;
/** And at most this much more of the requests failing than before: a tenth of a point. */
const FAILED_WITHIN = 0.001;
/** Seconds before the fault that stand for normal. */
const BEFORE_SECONDS = 60;

export function faultTolerance(sim: Sim, series: RunSeries): FaultTolerance {
  const { scenario } = sim.world.program;
  const warmUpSeconds = scenario.run.warmUpUs / 1e6;
  const faults = scenario.faults.map((fault): FaultFigures => {
    const atSeconds = fault.atUs / 1e6 - warmUpSeconds;
    const forSeconds = fault.forUs === null ? OPEN_FAULT_SECONDS : fault.forUs / 1e6;
    return {
      fault: nameOf(fault, scenario),
      atSeconds: round(atSeconds),
      goodputKept: goodputKept(series, atSeconds, atSeconds + forSeconds),
      recoverySeconds: recoverySeconds(series, atSeconds),
    };
  });
  return { faults, zonesCovered: coverage(sim), budgets: budgetFigures(sim) };
}

function nameOf(fault: Fault, { cluster, services, loads }: Scenario): string {
  const link = ({ from, to }: { readonly from: number; readonly to: number }): string =>
    `${cluster.zones[from]!.name} and ${cluster.zones[to]!.name}`;
  switch (fault.kind) {
    case 'zoneOutage':
      return `zone ${cluster.zones[fault.zone]!.name} lost`;
    case 'nodeLoss':
      return `node ${cluster.nodes[fault.node]!.name} lost`;
    case 'nodeDrain':
      return `node ${cluster.nodes[fault.node]!.name} drained`;
    case 'serviceFailure':
      return `${services[fault.service]!.name} fails ${round(fault.share * 100)}%`;
    case 'linkLatency':
      return `${round(fault.addedUs / 1000)} ms added between ${link(fault)}`;
    case 'linkLoss':
      return `${round(fault.share * 100)}% lost between ${link(fault)}`;
    case 'zonePartition':
      return `${link(fault)} parted`;
    case 'retryStorm':
      return `users of ${loads[fault.load]!.name} retry ${fault.retries} times`;
    case 'loadBurst':
      return `${loads[fault.load]!.name} times ${round(fault.times)}`;
    case 'podCrash':
      return `${fault.pods ?? 'all'} pods of ${services[fault.service]!.name} crash`;
    case 'slowPod':
      return `${fault.pods ?? 'all'} pods of ${services[fault.service]!.name} lose ${round(fault.share * 100)}% of their CPU time`;
    case 'crashLoop':
      return `${fault.pods ?? 'all'} pods of ${services[fault.service]!.name} crash every ${round(fault.everyUs / 1e6)} s`;
    case 'memoryLeak':
      return `${services[fault.service]!.name} leaks ${round(fault.bytesPerSecond / 1024)} KiB/s`;
    case 'istiodDown':
      return 'Istiod down';
    case 'prometheusOutage':
      return 'Prometheus down';
    case 'scrapeGap':
      return 'no scrapes';
    case 'staleMetrics':
      return 'stale metrics';
    case 'apiErrors':
      return `Kubernetes API refuses ${round(fault.share * 100)}%`;
    case 'apiSlow':
      return `Kubernetes API slower by ${round(fault.addedUs / 1000)} ms`;
  }
}

function goodputKept(series: RunSeries, fromSeconds: number, toSeconds: number): number | null {
  let answered = 0;
  let failed = 0;
  series.requestsPerSecond.forEach((rate, i) => {
    const middle = (i + 0.5) * series.stepSeconds;
    if (middle < fromSeconds || middle >= toSeconds) return;
    answered += rate;
    failed += series.failedPerSecond[i]!;
  });
  return answered > 0 ? round((answered - failed) / answered) : null;
}

/** Seconds from the fault to the end of its last trace: from then on everything is as it was before. */
function recoverySeconds(series: RunSeries, atSeconds: number): number | null {
  const steps = series.requestsPerSecond.map((_, i) => i);
  const before = steps.filter((i) => {
    const end = (i + 1) * series.stepSeconds;
    return end <= atSeconds && end > atSeconds - BEFORE_SECONDS;
  });
  if (before.length === 0) return null;
  const mean = (values: readonly number[]): number => before.reduce((sum, i) => sum + values[i]!, 0) / before.length;
  // A step with too few answers has no p95; where none before the fault had one, success alone decides.
  const p95Before = before.flatMap((i) => series.p95Ms[i] ?? []);
  const normalP95 = p95Before.reduce((sum, p95) => sum + p95, 0) / p95Before.length;
  const normalFailed = mean(
    series.failedPerSecond.map((failed, i) => failed / Math.max(series.requestsPerSecond[i]!, 1e-9)),
  );
  const isSlow = (i: number): boolean => {
    const p95 = series.p95Ms[i] ?? null;
    return p95Before.length > 0 && (p95 === null || p95 > normalP95 * (1 + P95_WITHIN));
  };
  const isBad = (i: number): boolean => {
    const failed = series.failedPerSecond[i]! / Math.max(series.requestsPerSecond[i]!, 1e-9);
    // The p95 of a single step is noisy: only two slow steps in a row count.
    const staysSlow = isSlow(i) && ((i > 0 && isSlow(i - 1)) || (i + 1 < steps.length && isSlow(i + 1)));
    return failed > normalFailed + FAILED_WITHIN || staysSlow;
  };
  const lastBad = steps.filter((i) => i * series.stepSeconds >= atSeconds && isBad(i)).at(-1);
  if (lastBad === undefined) return 0;
  const back = lastBad + 1;
  return back < steps.length ? round(back * series.stepSeconds - atSeconds) : null;
}

/** By service at the end of the run: zones with ready pods, and whether pods are left without any one zone or node. */
function coverage(sim: Sim): FaultTolerance['zonesCovered'] {
  const { program } = sim.world;
  return program.scenario.services.map((service, declared) => {
    const index = program.indexOf[declared]!;
    if (service.external !== null) return externalCoverage(sim, index);
    const ready = [...sim.pods].filter(
      (pod) => pod.workload.service === index && pod.ready && pod.deletedUs === null && pod.node?.up,
    );
    const zones = new Set(ready.map((pod) => pod.node!.spec.zone)).size;
    const nodes = new Set(ready.map((pod) => pod.node!.index)).size;
    return { service: service.name, zones, survivesAnyZoneLoss: zones > 1, survivesAnyNodeLoss: nodes > 1 };
  });
}

/** Instances stand on no node of the cluster, and those from outside in none of its zones. */
function externalCoverage({ world }: Sim, service: number): FaultTolerance['zonesCovered'][number] {
  const zones = new Set<number>();
  for (let slot = world.podBase[service]!; slot < world.podBase[service + 1]!; slot++)
    if (world.podState[slot] === POD_SERVING) zones.add(world.podZone[slot]!);
  const isOutside = world.program.outsidePlace[service]! >= 0;
  return {
    service: world.program.services[service]!.name,
    zones: isOutside ? 0 : zones.size,
    survivesAnyZoneLoss: isOutside || zones.size > 1,
    survivesAnyNodeLoss: zones.size > 0,
  };
}
