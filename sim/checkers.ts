/**
 * Identities that every run must keep, judged from outside the parts that they check. A failed one is a bug in the
 * simulator, never a result. The cheap ones run always.
 */
import type { NodePool } from '../scenarios/types.js';
import type { CheckOutcome } from '../traces/run-result.js';
import type { Sim } from './control/state.js';
import { ARRIVED_US, CODE, DOUBLES, FLAGS, KEY, PARENT, POD, WORDS } from './kernel/records.js';
import { podRequests } from './proxies.js';
import { forEachWaiting } from './queues.js';
import { EVENT_QUEUE, EXTERNAL, FLAG_DETACHED, isInPod, isInProxy, isSpan } from './spans.js';
import type { World } from './world.js';

export function checkRun(sim: Sim): CheckOutcome[] {
  const { world } = sim;
  const checks = [
    checkConservation(world),
    checkLittle(world),
    checkNodes(sim),
    ...(world.program.scenario.cluster.cpuWeights !== null ? [checkCores(sim)] : []),
    checkRoutes(world),
    checkConnections(world),
    ...(sim.policy.nodeAutoscaler === null ? [] : [checkFleet(sim)]),
  ];
  return world.queues.length === 0 ? checks : [...checks, checkMessages(world), checkWaits(world)];
}

/** Every external request has succeeded, failed, or is under way. */
function checkConservation(world: World): CheckOutcome {
  const { arrivals, succeeded, failed } = world.counters.whole;
  let inFlight = 0;
  const firstGateway = world.podBase[world.program.gateway]!;
  forEachSpan(world, (at) => {
    if (world.records.words[at + PARENT]! <= EXTERNAL - firstGateway) inFlight++;
  });
  return {
    name: 'arrivals = succeeded + failed + in flight',
    passed: arrivals === succeeded + failed + inFlight,
    detail: `${arrivals} = ${succeeded} + ${failed} + ${inFlight}`,
  };
}

/**
 * Little's law as an equality of whole microseconds: the integral of the number in each service over the measured part
 * is the sum of the sojourns, clipped to it.
 */
function checkLittle(world: World): CheckOutcome {
  const { counters, nowUs, program } = world;
  const sojournUs = counters.sojournUs.slice();
  const present = new Float64Array(program.serviceCount);
  const { words, doubles } = world.records;
  forEachSpan(world, (at, id) => {
    const code = words[at + CODE]!;
    if (!isInPod(code)) return;
    const service = world.podService[words[at + POD]!]!;
    present[service] = present[service]! + 1;
    sojournUs[service] =
      sojournUs[service]! + nowUs - Math.max(world.measureFromUs, doubles[id * DOUBLES + ARRIVED_US]!);
  });
  const wrong: string[] = [];
  for (let s = 0; s < program.serviceCount; s++) {
    const areaUs = counters.areaUs[s]! + counters.inSystem[s]! * (nowUs - counters.areaAtUs[s]!);
    if (areaUs !== sojournUs[s]! || counters.inSystem[s] !== present[s]) {
      wrong.push(
        `${program.services[s]!.name}: integral ${areaUs}, sojourns ${sojournUs[s]}, in system ${counters.inSystem[s]} counted, ${present[s]} found`,
      );
    }
  }
  return {
    name: "Little's law, in whole microseconds",
    passed: wrong.length === 0,
    detail: wrong.join('; ') || `${program.serviceCount} services`,
  };
}

/** No node holds more than it can. */
function checkNodes(sim: Sim): CheckOutcome {
  const over = sim.fleet.filter((node) => {
    let cpuMillicores = 0;
    let memoryBytes = 0;
    for (const pod of node.pods) {
      const requests = podRequests(sim.world.program, pod.workload.service);
      cpuMillicores += requests.cpuMillicores;
      memoryBytes += requests.memoryBytes;
    }
    const full = cpuMillicores > node.spec.cpuMillicores || memoryBytes > node.spec.memoryBytes;
    return full || cpuMillicores !== node.requested.cpuMillicores || memoryBytes !== node.requested.memoryBytes;
  });
  return {
    name: 'no node over its allocatable',
    passed: over.length === 0,
    detail: over.map((node) => node.spec.name).join(', ') || `${sim.nodes.length} nodes`,
  };
}

/**
 * Nodes that come and go: the API has just those that have come and not gone, pods stand on no others, and no pool is
 * larger than it may be.
 */
function checkFleet(sim: Sim): CheckOutcome {
  const wrong: string[] = [];
  const { pools, zones } = sim.world.program.scenario.cluster;
  for (const node of sim.fleet) {
    if (sim.nodes.includes(node) !== (node.phase === 'registered')) wrong.push(`${node.spec.name} is ${node.phase}`);
    if (node.phase !== 'registered' && node.pods.size > 0) wrong.push(`${node.spec.name} has pods`);
  }
  for (const pod of sim.pods)
    if (pod.slot >= 0 && !pod.node!.pods.has(pod)) wrong.push(`${pod.name} is not on ${pod.node!.spec.name}`);
  for (const pool of pools) {
    const own = sim.fleet.filter(({ spec, phase }) => spec.pool === pool.name && phase !== 'gone');
    const { kind } = sim.policy.nodeAutoscaler!;
    const isOver =
      kind === 'karpenter'
        ? // One that is to go makes room at once for the one that replaces it, as Karpenter counts.
          own.filter(({ deleting }) => deleting === null).length > (pool.karpenter?.limits.nodes ?? Infinity)
        : zones.some((_, zone) => own.filter(({ spec }) => spec.zone === zone).length > mostIn(pool, zone));
    if (isOver) wrong.push(`${pool.name} has ${own.length} nodes`);
  }
  return {
    name: 'nodes come, stay and go within bounds',
    passed: wrong.length === 0,
    detail: wrong.join('; ') || `${sim.fleet.length} machines`,
  };
}

function mostIn({ groups }: NodePool, zone: number): number {
  return groups?.[zone]?.maxNodes ?? Infinity;
}

/** Sums of CPU time over a run lose no more than this of their value to rounding. */
const SUM_ERROR = 1e-9;

/** Where pods share the cores of their node, they use no more CPU time over the measured part than it has. */
function checkCores({ fleet, usage, world }: Sim): CheckOutcome {
  const measuredUs = world.nowUs - world.measureFromUs;
  const over = fleet.flatMap(({ index, spec }) => {
    const coreUs = (spec.cpuMillicores / 1000) * measuredUs;
    const ranUs = usage.ranCoreUs.get(index) ?? 0;
    return ranUs > coreUs * (1 + SUM_ERROR) ? [`${spec.name}: ${ranUs} of ${coreUs} core-microseconds`] : [];
  });
  return {
    name: 'no more CPU time used than a node has',
    passed: over.length === 0,
    detail: over.join('; ') || `${fleet.length} nodes`,
  };
}

/** Priority shares of every route sum to 100. */
function checkRoutes(world: World): CheckOutcome {
  const wrong = world.routeComplex.filter((route) => route && route.loadBelow[route.loadBelow.length - 1] !== 100);
  return { name: 'route weights sum to 100', passed: wrong.length === 0, detail: `${wrong.length} wrong` };
}

/** The proxies' counts of requests in flight agree with the spans under way. */
function checkConnections(world: World): CheckOutcome {
  let spans = 0;
  forEachSpan(world, (at) => {
    const { words } = world.records;
    if (!isInProxy(words[at + CODE]!) && (words[at + FLAGS]! & FLAG_DETACHED) === 0) spans++;
  });
  const counted = world.connectionActive.reduce((sum, active) => sum + active, 0);
  return {
    name: 'in-flight counts = spans under way',
    passed: counted === spans,
    detail: `${counted} counted, ${spans} spans`,
  };
}

/** Every message that was published is done, dead, waiting, with a consumer, or on its way to the next delivery. */
function checkMessages(world: World): CheckOutcome {
  const { words, capacity } = world.records;
  const firstGateway = world.podBase[world.program.gateway]!;
  const away = world.queues.map(() => 0);
  for (let id = 0; id < capacity; id++) {
    const at = id * WORDS;
    const parent = words[at + PARENT]!;
    if (isSpan(words[at + CODE]!) && parent <= EXTERNAL && parent > EXTERNAL - firstGateway) {
      const queue = world.program.queueOf[world.podService[EXTERNAL - parent]!]!;
      away[queue] = away[queue]! + 1;
    }
    if (words[at + CODE] === EVENT_QUEUE && words[at + KEY]! >= 0) away[words[at + POD]!] = away[words[at + POD]!]! + 1;
  }
  const rows = world.queues.map((queue, i) => {
    let waiting = 0;
    forEachWaiting(queue, () => waiting++);
    const { published, processed, dead } = queue.whole;
    return {
      isRight: published === processed + dead + waiting + away[i]! && waiting === queue.length,
      detail: `${published} = ${processed} + ${dead} + ${waiting} + ${away[i]}`,
    };
  });
  return {
    name: 'messages = processed + dead + waiting + in flight',
    passed: rows.every(({ isRight }) => isRight),
    detail: rows.map(({ detail }) => detail).join('; '),
  };
}

/** Little's law for the waiting messages: the integral of the length is the sum of the waits. */
function checkWaits(world: World): CheckOutcome {
  const rows = world.queues.map((queue) => {
    const { figures, length } = queue;
    const areaUs = figures.areaUs + length * (world.nowUs - figures.areaAtUs);
    let sojournUs = figures.sojournUs;
    forEachWaiting(queue, (_, sinceUs) => (sojournUs += world.nowUs - Math.max(world.measureFromUs, sinceUs)));
    return { isRight: areaUs === sojournUs, detail: `integral ${areaUs}, waits ${sojournUs}` };
  });
  return {
    name: "Little's law for waiting messages, in whole microseconds",
    passed: rows.every(({ isRight }) => isRight),
    detail: rows.map(({ detail }) => detail).join('; '),
  };
}

function forEachSpan(world: World, visit: (at: number, id: number) => void): void {
  const { words, capacity } = world.records;
  for (let id = 0; id < capacity; id++) {
    const code = words[id * WORDS + CODE]!;
    if (isSpan(code)) visit(id * WORDS, id);
  }
}
