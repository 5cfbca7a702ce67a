/**
 * The obvious simulator beside sim/loop.ts: objects, closures, a sorted list of events and plain queues. For the static
 * policy without faults, one pool of pods per host and zone (no DestinationRules), a core for every worker. Draws are
 * keyed, so both must agree to the microsecond; the keys, the tables and the compiled places of the operations are
 * shared, the order of events, the call graph, workers, queues and picks are done again here.
 */
import type { Scenario } from '../../scenarios/types.js';
import { createLoad } from '../../sim/load.js';
import {
  CALL_PROBABILITY,
  CALL_TARGET,
  CALL_WORDS,
  compileProgram,
  OP_CALL,
  OP_END,
  OP_WORDS,
  type Program,
} from '../../sim/program.js';
import { quantileOf } from '../../sim/quantileTable.js';
import {
  CAUSE_CALL,
  CAUSE_DEMAND,
  CAUSE_GATEWAY,
  CAUSE_HOP_BACK,
  CAUSE_HOP_THERE,
  CAUSE_PICK,
  CAUSE_ZONE,
  GOLDEN,
  mix,
  requestKey,
} from '../../sim/random.js';

export interface SlowPod {
  readonly service: number;
  readonly node: number;
  readonly zone: number;
  busy: number;
  readonly waiting: SlowSpan[];
  /** This pod's own requests in flight, by edge (a cluster of Envoy's) and pod called. */
  readonly inFlight: Map<SlowPod, number>[];
}

interface SlowSpan {
  readonly pod: SlowPod;
  readonly key: number;
  readonly arrivedUs: number;
  /** Goes on where it stopped, with a worker in hand. */
  resume: (nowUs: number) => void;
  step: number;
  failed: boolean;
  hasWorker: boolean;
  started: boolean;
}

export interface SlowFigures {
  succeeded: number;
  failed: number;
  latencyUs: number;
  readonly services: {
    succeeded: number;
    failed: number;
    latencyUs: number;
    refused: number;
    started: number;
    waitUs: number;
    cpuUs: number;
  }[];
  readonly edges: { source: number; destination: number; succeeded: number; failed: number; latencyUs: number }[];
}

/** `pods`: by internal service index, in the order in which callers list them; the gateways come last. */
export function slowSimulate(scenario: Scenario, seed: number, pods: readonly (readonly SlowPod[])[]): SlowFigures {
  const program = compileProgram(scenario);
  const { warmUpUs } = scenario.run;
  const endUs = warmUpUs + scenario.run.durationUs;
  const agenda = new Agenda();
  const figures = noFigures(program);
  const draw = (table: number, word: number): number => quantileOf(program.tables, table, word);

  const hopUs = (from: SlowPod, to: SlowPod, key: number): number => {
    const { zones, roundTrip } = scenario.cluster;
    const sameNode = from.node >= 0 && from.node === to.node;
    const pair = roundTrip.nodePairs.find((one) => one.from === from.node && one.to === to.node);
    let us = sameNode
      ? program.sameNodeDelayUs
      : pair
        ? pair.roundTripUs / 2
        : program.zoneDelayUs[from.zone * zones.length + to.zone]!;
    if (program.jitterTable >= 0) us *= draw(program.jitterTable, mix(key));
    return Math.floor(us + 0.5);
  };

  /** Two draws with replacement; the second only with strictly fewer in flight from this caller. */
  const choose = (inFlight: Map<SlowPod, number>, candidates: readonly SlowPod[], key: number): SlowPod => {
    const word = mix(key ^ CAUSE_PICK);
    const drawn = [word, mix(word + GOLDEN)].map(
      (w) => candidates[Math.floor(((w >>> 0) / 2 ** 32) * candidates.length)]!,
    );
    const [a, b] = drawn.map((pod) => inFlight.get(pod) ?? 0);
    return b! < a! ? drawn[1]! : drawn[0]!;
  };

  const callPod = (
    caller: SlowPod,
    edge: number,
    endpoint: number,
    key: number,
    nowUs: number,
    answered: (nowUs: number, failed: boolean) => void,
  ): void => {
    const inFlight = (caller.inFlight[edge] ??= new Map());
    const pod = choose(inFlight, behind(edge), key);
    inFlight.set(pod, (inFlight.get(pod) ?? 0) + 1);
    const back = (doneUs: number, failed: boolean): void => {
      agenda.at(doneUs + hopUs(pod, caller, key ^ CAUSE_HOP_BACK), (laterUs) => {
        inFlight.set(pod, inFlight.get(pod)! - 1);
        if (laterUs >= warmUpUs) {
          const source = program.edgeSource[edge]!;
          const row = figures.edges.find((one) => one.source === source && one.destination === pod.service)!;
          if (failed) row.failed++;
          else row.succeeded++;
          row.latencyUs += laterUs - nowUs;
        }
        answered(laterUs, failed);
      });
    };
    agenda.at(nowUs + hopUs(caller, pod, key ^ CAUSE_HOP_THERE), (atUs) =>
      serve(pod, ownEndpoint(endpoint, pod), key, atUs, back),
    );
  };

  /** Pods of a pool are listed version by version, and gathered by zone, the zone of the first pod first. */
  const behind = (edge: number): readonly SlowPod[] => {
    const destination = program.edgeDestination[edge]!;
    if (destination <= program.gateway) return pods[destination]!;
    const { host } = program.pools[destination - program.firstPool]!;
    const declared = program.order[host]!;
    const together = program.services.flatMap(({ versionOf }, service) =>
      service === host || versionOf === declared ? pods[service]! : [],
    );
    const zones = [...new Set(together.map(({ zone }) => zone))];
    return zones.flatMap((zone) => together.filter((pod) => pod.zone === zone));
  };

  /** Services have one endpoint each; a pod of a pool runs that of its version. */
  const ownEndpoint = (endpoint: number, pod: SlowPod): number =>
    endpoint >= 0 ? endpoint : program.endpointService.indexOf(pod.service);

  const serve = (
    pod: SlowPod,
    endpoint: number,
    key: number,
    arrivedUs: number,
    done: (nowUs: number, failed: boolean) => void,
  ): void => {
    const service = program.services[pod.service]!;
    const counts = figures.services[pod.service]!;
    const span: SlowSpan = {
      pod,
      key,
      arrivedUs,
      resume: (nowUs) => run(nowUs),
      step: program.endpointStart[endpoint]!,
      failed: false,
      hasWorker: false,
      started: false,
    };
    const needWorker = (): boolean => {
      if (span.hasWorker) return true;
      if (pod.busy < service.workers) {
        pod.busy++;
        span.hasWorker = true;
        return true;
      }
      pod.waiting.push(span);
      return false;
    };
    const letGo = (): void => {
      if (!span.hasWorker || service.holdsWorkerWhileCalling) return;
      span.hasWorker = false;
    };
    /** Runs the span until it waits; then whoever got its worker. */
    const run = (nowUs: number): void => {
      const hadWorker = span.hasWorker;
      const ended = advance(nowUs);
      if (ended) {
        if (nowUs >= warmUpUs) {
          if (span.failed) counts.failed++;
          else counts.succeeded++;
          counts.latencyUs += nowUs - arrivedUs;
        }
        done(nowUs, span.failed);
      }
      if (hadWorker && (ended || !span.hasWorker)) handOn(pod, nowUs, figures, warmUpUs);
    };
    /** True when the span has reached its end. */
    const advance = (nowUs: number): boolean => {
      for (;;) {
        const [code, a, b] = [0, 1, 2].map((i) => program.ops[span.step * OP_WORDS + i]!);
        const word = mix((key ^ CAUSE_DEMAND) + Math.imul(span.step, GOLDEN));
        if (code === OP_END) return true;
        if (code === OP_CALL) {
          const made = callsOf(program, key, span.step, a!, b!);
          if (made.length === 0) {
            span.step++;
            continue;
          }
          span.step++;
          let pending = made.length;
          for (const call of made) {
            callPod(pod, call.edge, call.endpoint, call.key, nowUs, (laterUs, failed) => {
              if (failed) span.failed = true;
              if (--pending > 0) return;
              if (span.failed) while (program.ops[span.step * OP_WORDS] !== OP_END) span.step++;
              run(laterUs);
            });
          }
          letGo();
          return false;
        }
        const durationUs = Math.floor(draw(a!, word) + 0.5);
        if (code === 0) {
          if (!needWorker()) return false;
          counts.cpuUs += Math.max(0, Math.min(endUs, nowUs + durationUs) - Math.max(warmUpUs, nowUs));
        } else letGo();
        span.step++;
        agenda.at(nowUs + durationUs, run);
        return false;
      }
    };

    if (pod.busy < service.workers) {
      pod.busy++;
      span.hasWorker = true;
      span.started = true;
      if (arrivedUs >= warmUpUs) counts.started++;
      run(arrivedUs);
    } else if (service.queue !== null && pod.waiting.length >= service.queue) {
      if (arrivedUs >= warmUpUs) {
        counts.failed++;
        counts.refused++;
      }
      done(arrivedUs, true);
    } else pod.waiting.push(span);
  };

  const gateways = pods[program.gateway]!;
  scenario.loads.forEach((load, index) => {
    const state = createLoad(load, index, seed, endUs, program.tables, program.exponentialTable);
    const arrive = (nowUs: number): void => {
      const key = requestKey(state.seedA, state.seedB, state.requests++);
      const nextUs = state.next();
      if (nextUs < Infinity) agenda.at(nextUs, arrive);
      const zone = zoneOf(load.from[0]!.shares, (mix(key ^ CAUSE_ZONE) >>> 0) / 2 ** 32);
      const { perZone } = scenario.gateways;
      const gateway = gateways[zone * perZone + Math.floor(((mix(key ^ CAUSE_GATEWAY) >>> 0) / 2 ** 32) * perZone)]!;
      const target = program.loadTarget[index]!;
      const [edge, endpoint] = [program.targetEdge[target]!, program.targetEndpoint[target]!];
      callPod(gateway, edge, endpoint, key, nowUs, (laterUs, failed) => {
        if (laterUs < warmUpUs) return;
        if (failed) figures.failed++;
        else {
          figures.succeeded++;
          figures.latencyUs += laterUs - nowUs;
        }
      });
    };
    const firstUs = state.next();
    if (firstUs < Infinity) agenda.at(firstUs, arrive);
  });
  agenda.runTo(endUs);
  return figures;
}

/** A worker goes to the first in the queue, or goes idle. */
function handOn(pod: SlowPod, nowUs: number, figures: SlowFigures, warmUpUs: number): void {
  const next = pod.waiting.shift();
  if (!next) {
    pod.busy--;
    return;
  }
  next.hasWorker = true;
  if (!next.started && nowUs >= warmUpUs) {
    const counts = figures.services[pod.service]!;
    counts.started++;
    counts.waitUs += nowUs - next.arrivedUs;
  }
  next.started = true;
  next.resume(nowUs);
}

/** The calls of one step that are really made. */
function callsOf(program: Program, key: number, step: number, firstRow: number, rows: number) {
  const stepKey = mix((key ^ CAUSE_CALL) + Math.imul(step, GOLDEN));
  return Array.from({ length: rows }, (_, i) => {
    const [target, bound] = [CALL_TARGET, CALL_PROBABILITY].map(
      (word) => program.calls[(firstRow + i) * CALL_WORDS + word]!,
    );
    const [edge, endpoint] = [program.targetEdge[target!]!, program.targetEndpoint[target!]!];
    const drawn = mix(stepKey + Math.imul(i, GOLDEN));
    const made = bound === -1 || drawn >>> 0 < bound! >>> 0;
    return { edge, endpoint, key: mix(drawn ^ GOLDEN), made };
  }).filter(({ made }) => made);
}

function zoneOf(shares: readonly number[], uniform: number): number {
  let below = 0;
  for (const [zone, share] of shares.entries()) {
    below += share;
    if (uniform < below) return zone;
  }
  return shares.length - 1;
}

function noFigures(program: Program): SlowFigures {
  return {
    succeeded: 0,
    failed: 0,
    latencyUs: 0,
    services: program.services.map(() => ({
      succeeded: 0,
      failed: 0,
      latencyUs: 0,
      refused: 0,
      started: 0,
      waitUs: 0,
      cpuUs: 0,
    })),
    edges: Array.from({ length: program.edgeCount }, (_, edge) => ({
      source: program.edgeSource[edge]!,
      destination: program.edgeDestination[edge]!,
      succeeded: 0,
      failed: 0,
      latencyUs: 0,
    })).filter(({ destination }) => destination < program.firstPool),
  };
}

/** A list in order of (time, insertion). */
class Agenda {
  private readonly events: { timeUs: number; action: (nowUs: number) => void }[] = [];

  at(timeUs: number, action: (nowUs: number) => void): void {
    let at = this.events.length;
    while (at > 0 && this.events[at - 1]!.timeUs > timeUs) at--;
    this.events.splice(at, 0, { timeUs, action });
  }

  runTo(endUs: number): void {
    while (this.events.length > 0 && this.events[0]!.timeUs < endUs) {
      const { timeUs, action } = this.events.shift()!;
      action(timeUs);
    }
  }
}
