/**
 * Builds the simulated cluster of one policy at time 0: workloads (one per service, or one per zone where the policy
 * says so), their pods placed by the scheduler and ready, gateways, rules, and the room for pods that may come.
 */
import { emptyMemory, workloadPolicy, type WorkloadPolicy } from '../../engine/index.js';
import type { KubeObject } from '../../engine/types.js';
import type { Fault, HpaPolicy, Policy } from '../../scenarios/types.js';
import { newHpaState } from '../cluster/hpa.js';
import { resolveFenceposts } from '../cluster/rollingUpdate.js';
import { SchedulingQueue } from '../cluster/schedulingQueue.js';
import { insert } from '../kernel/wheel.js';
import { CODE, POD, takeRecord, WORDS } from '../kernel/records.js';
import { createBreaker, createPool } from '../breakers.js';
import { createLongLived } from '../connections.js';
import { readClusterPolicy } from '../mesh/clusterPolicy.js';
import { createOutlierState } from '../mesh/outlierState.js';
import { createLoad } from '../load.js';
import { burstRate, type LoadBurst } from '../loadBurst.js';
import { EVENT_ARRIVAL } from '../spans.js';
import { hostOf } from '../pools.js';
import type { Program } from '../program.js';
import { createUsage } from '../usage.js';
import { createWorld, POD_SERVING, type World } from '../world.js';
import { createCalendar } from './calendar.js';
import { applyFirstRoutes, ruleSpecOf } from './endpoints.js';
import { instanceCount, startExternals } from './externals.js';
import { startNode } from './nodes.js';
import { AGE_AT_START_US, createPod, startReady } from './pods.js';
import { createOutages } from './outages.js';
import { createSchedulerView } from './schedulerView.js';
import { createWaits } from './waits.js';
import { createSensors } from './sensors.js';
import { NAMESPACE } from './snapshot.js';
import { takeSlot } from './slots.js';
import { newController, watchPods } from './workloads.js';
import { engineStep } from '../engine-adapter.js';
import type { EngineStep, Sim, SimPod, SimWorkload } from './state.js';

/** From the creation of a gated pod until the engine is asked about it: a webhook's watch event. */
const GATE_NOTICE_US = 100_000;

export function setUp(
  program: Program,
  policy: Policy,
  seed: number,
  onStep: ((step: EngineStep) => void) | null,
): Sim {
  const { scenario } = program;
  const endUs = scenario.run.warmUpUs + scenario.run.durationUs;
  const workloads = makeWorkloads(program, policy);
  const loads = scenario.loads.map((load, i) =>
    createLoad(
      { ...load, rate: burstRate(load.rate, burstsOf(scenario.faults, i), endUs) },
      i,
      seed,
      endUs,
      program.tables,
      program.exponentialTable,
    ),
  );
  const world = createWorld(program, seed, slotCapacities(program, policy, workloads), loads);
  const { nodes, pools } = scenario.cluster;
  const fleet = nodes.map((spec, index) => {
    const machine = pools.find(({ name }) => name === spec.pool)?.machine ?? null;
    return startNode(spec, index, machine, -AGE_AT_START_US);
  });
  const sim: Sim = {
    world,
    policy,
    calendar: createCalendar(),
    endUs,
    nodes: [...fleet],
    fleet,
    onUnschedulable: null,
    nodeWatch: null,
    nodeWaits: { pods: 0, waitedUs: 0 },
    closedZones: new Set(),
    workloads,
    pods: new Set(),
    unscheduled: [],
    scheduler: {
      view: createSchedulerView(program, fleet),
      queue: new SchedulingQueue<SimPod>({ kubernetesMinor: scenario.compat.kubernetesMinor }),
      lookAtUs: Infinity,
      nominated: new Map(),
      waits: createWaits(program.serviceCount),
    },
    starting: true,
    rules: rulesInForce(program, policy),
    routeVersion: new Int32Array(program.firstPool + program.pools.length),
    zonesDown: new Set(),
    outages: createOutages(),
    gathered: { batch: null, services: new Set() },
    budgets: program.services.flatMap(({ disruptionBudget }, service) =>
      disruptionBudget ? [{ service, brokenSeconds: 0, leastSpare: Infinity }] : [],
    ),
    crashLoops: new Set(),
    slowdowns: new Map(),
    onStart: null,
    onPodChange: null,
    rollouts: [],
    zoneOutages: scenario.cluster.zones.map(() => ({ underWay: 0, begun: 0 })),
    sensors: createSensors(world),
    usage: createUsage(program.serviceCount),
    gatesPods: workloads.reduce<boolean[]>((gates, workload) => {
      // Pods of those that the engine leaves alone are not gated: nobody would lift the gate.
      const own = policyOf(program, policy, workload);
      gates[workload.service] = own !== null && own.problems.length === 0 && own.config.scaler.mode !== 'off';
      return gates;
    }, []),
    engineStopped: false,
    memory: emptyMemory,
    podsMade: 0,
    decisions: [],
    skipped: [],
    lastSkip: new Map(),
    onStep,
    onGated: null,
  };
  let asked = false;
  sim.onGated = (nowUs) => {
    if (asked) return;
    asked = true;
    sim.calendar.at(nowUs + GATE_NOTICE_US, (laterUs) => {
      asked = false;
      engineStep(sim, laterUs, 'placement');
    });
  };
  setUpPolicies(sim);
  watchPods(sim);
  startPods(sim);
  startGateways(sim);
  startExternals(sim);
  applyFirstRoutes(sim);
  startArrivals(world);
  sim.starting = false;
  return sim;
}

/** The bursts of one load. */
function burstsOf(faults: readonly Fault[], load: number): LoadBurst[] {
  return faults.filter((fault): fault is LoadBurst => fault.kind === 'loadBurst' && fault.load === load);
}

/** Detectors and circuit breakers by the rules in force; the engine changes nothing of what they read. */
function setUpPolicies(sim: Sim): void {
  const { world } = sim;
  const { program } = world;
  for (let edge = 0; edge < program.edgeCount; edge++) {
    const destination = program.edgeDestination[edge]!;
    const balances = program.balancesRequests[program.edgeSource[edge]!]!;
    // Who does not choose for each request knows no rules.
    const policy = readClusterPolicy(balances ? ruleSpecOf(sim, destination) : null, null);
    const callers = world.podCapacity[program.edgeSource[edge]!]!;
    const capacity = world.podCapacity[destination]!;
    const external = program.services[hostOf(program, destination)]!.external;
    // Consumers pull from a broker, and a broker takes any number of connections: nothing of a proxy's is in between.
    if (program.queueOf[program.edgeSource[edge]!]! >= 0 || external?.queue) continue;
    if (external?.protocol === 'tcp') {
      world.breakers[edge] = createPool(policy.pool, external.connectionsPerCaller, callers, capacity);
      if (policy.pool.connectTimeoutUs !== null) world.lossUs[edge] = policy.pool.connectTimeoutUs;
      continue;
    }
    const { routing } = program.scenario.mesh;
    if (routing.kind !== 'istio' && !balances) {
      const { connectionsPerCaller, maxAgeUs } = routing;
      if (connectionsPerCaller !== null)
        world.longLived[edge] = createLongLived(callers, connectionsPerCaller, maxAgeUs);
      continue;
    }
    world.breakers[edge] = createBreaker(policy.pool, callers, capacity);
    if (policy.hash !== null) world.tracksUsers = true;
    if (policy.pool.connectTimeoutUs !== null) world.lossUs[edge] = policy.pool.connectTimeoutUs;
    const { envoyMinor } = program.scenario.compat;
    world.outliers[edge] = policy.outlier && createOutlierState(policy.outlier, callers, capacity, envoyMinor);
  }
}

function makeWorkloads(program: Program, policy: Policy): SimWorkload[] {
  const { zones } = program.scenario.cluster;
  const workloads: SimWorkload[] = [];
  program.services.forEach((service, index) => {
    if (service.external !== null) return;
    const declared = program.order[index]!;
    const spread = policy.spread.find((override) => override.service === declared)?.spread ?? service.spread;
    const hpa = policy.hpas.find((candidate) => candidate.service === declared) ?? null;
    const base = { service: index, spread, podsMade: 0, pods: [] };
    if (!policy.deploymentPerZone.includes(declared)) {
      workloads.push({
        ...base,
        ...newController(service, service.replicas),
        index: workloads.length,
        name: service.name,
        pinnedZone: null,
        hpa: hpa && hpaOf(hpa, hpa.minReplicas, hpa.maxReplicas),
      });
      return;
    }
    zones.forEach((zone, zoneIndex) => {
      const share = Math.ceil((service.replicas - zoneIndex) / zones.length);
      workloads.push({
        ...base,
        ...newController(service, service.replicasPerZone?.[zoneIndex] ?? share),
        pods: [],
        index: workloads.length,
        name: `${service.name}-${zone.zone}`,
        pinnedZone: zoneIndex,
        hpa: hpa && hpaOf(hpa, Math.ceil(hpa.minReplicas / zones.length), Math.ceil(hpa.maxReplicas / zones.length)),
      });
    });
  });
  return workloads;
}

function hpaOf(policy: HpaPolicy, minReplicas: number, maxReplicas: number): NonNullable<SimWorkload['hpa']> {
  return { policy, minReplicas, maxReplicas, state: newHpaState() };
}

/**
 * Slots by service: the most replicas that any decider may ask for, once more for pods that are still draining or lost
 * with their node, and a few to spare. A pod that finds none waits and is tried again.
 */
function slotCapacities(program: Program, policy: Policy, workloads: readonly SimWorkload[]): number[] {
  const most = new Array<number>(program.serviceCount).fill(0);
  for (const workload of workloads) {
    const own = workload.hpa?.maxReplicas ?? engineMaximum(program, policy, workload);
    most[workload.service] = most[workload.service]! + withSurge(program, workload, Math.max(workload.desired, own));
  }
  const { faults, rollouts } = program.scenario;
  const moves =
    policy.hpas.length > 0 ||
    policy.engine !== null ||
    policy.nodeAutoscaler !== null ||
    faults.length > 0 ||
    rollouts.length > 0;
  const { zones } = program.scenario.cluster;
  const slots = most.map((count, service) => instanceCount(program, service) ?? (moves ? 2 * count + 4 : count));
  return [...slots, program.scenario.gateways.perZone * zones.length];
}

/** A rollout adds its surge. */
function withSurge({ scenario, order }: Program, { service, controller }: SimWorkload, pods: number): number {
  const isRolled = scenario.rollouts.some((rollout) => rollout.service === order[service]);
  if (!isRolled || controller.kind !== 'Deployment' || controller.strategy.type !== 'RollingUpdate') return pods;
  return pods + resolveFenceposts(controller.strategy, pods).surge;
}

function engineMaximum(program: Program, policy: Policy, workload: SimWorkload): number {
  const config = policyOf(program, policy, workload)?.config;
  if (config?.scaler.mode !== 'full') return workload.desired;
  const own = config.workloads[`${NAMESPACE}/${workload.name}`]?.maxReplicas;
  return Math.max(workload.desired, own ?? config.scaler.maxReplicas);
}

/** The engine's settings for one workload; null: there is no engine. */
function policyOf(program: Program, policy: Policy, { name, service }: SimWorkload): WorkloadPolicy | null {
  const { annotations } = program.services[service]!;
  return policy.engine && workloadPolicy({ namespace: NAMESPACE, name, annotations }, policy.engine);
}

function rulesInForce(program: Program, policy: Policy): Sim['rules'] {
  const rules = new Array<KubeObject | null>(program.serviceCount).fill(null);
  for (const { service, object } of program.scenario.mesh.destinationRules) rules[program.indexOf[service]!] = object;
  for (const { service, object } of policy.destinationRules) rules[program.indexOf[service]!] = object;
  return rules;
}

/**
 * Pods of the start: where the scenario gives numbers per zone, in that zone; else where the scheduler puts them, those of
 * higher priority first.
 */
function startPods(sim: Sim): void {
  const priority = ({ service }: SimWorkload): number => sim.world.program.services[service]!.scheduling.priority;
  const started: SimPod[] = [];
  for (const workload of [...sim.workloads].sort((a, b) => priority(b) - priority(a))) {
    const perZone = sim.world.program.services[workload.service]!.replicasPerZone;
    const zones =
      workload.pinnedZone === null && perZone
        ? perZone.flatMap((count, zone) => new Array<number>(count).fill(zone))
        : [];
    for (let i = 0; i < workload.desired; i++) {
      const zone = zones[i];
      started.push(createPod(sim, workload, 0, zone === undefined ? null : { node: '', zone }));
    }
  }
  for (const pod of started) startReady(sim, pod, -AGE_AT_START_US);
}

function startGateways(sim: Sim): void {
  const { world } = sim;
  const { program } = world;
  const { perZone } = program.scenario.gateways;
  for (let slot = world.podBase[program.gateway]!; slot < world.podCount; slot++) {
    takeSlot(world, slot, -1, Math.floor((slot - world.podBase[program.gateway]!) / perZone), 0);
    world.podState[slot] = POD_SERVING;
    sim.sensors.generation[slot] = 1;
  }
}

function startArrivals(world: World): void {
  world.loads.forEach((load, index) => {
    const firstUs = load.next();
    if (firstUs === Infinity) return;
    const id = takeRecord(world.records);
    world.records.words[id * WORDS + CODE] = EVENT_ARRIVAL;
    world.records.words[id * WORDS + POD] = index;
    insert(world.queue, world.records.words, id, firstUs);
  });
}
