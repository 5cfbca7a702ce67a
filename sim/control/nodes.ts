/**
 * Machines that come and go. A node is requested, and after its `nodeStart` it is ready: only then does the API know it,
 * and only then does it take pods. It goes once its pods have left it (nodeRemoval.ts). `sim.fleet` holds every machine
 * there ever was, by the index that pods and costs use; `sim.nodes` those that the API has now.
 *
 * A start takes a time that belongs to the pool, the zone and the ordinal of the request there. A machine whose zone is
 * out when it would be ready never comes; whoever asked for it finds out by waiting.
 */
import type { Distribution, MachineType, NodeSpec } from '../../scenarios/types.js';
import { HOSTNAME_LABEL } from '../cluster/schedulerInput.js';
import { growProxies } from '../proxies.js';
import { drawFrom } from '../quantileTable.js';
import { GOLDEN, mix, seedWord } from '../random.js';
import { nodeChanged } from './pods.js';
import { noteNodes } from './schedulerView.js';
import type { Sim, SimNode } from './state.js';

/** A node of the start, as old as the pods on it. */
export function startNode(spec: NodeSpec, index: number, machine: MachineType | null, atUs: number): SimNode {
  return { ...newNode(spec, index, machine, atUs), registeredUs: atUs, phase: 'registered', ready: true };
}

function newNode(spec: NodeSpec, index: number, machine: MachineType | null, atUs: number): SimNode {
  return {
    index,
    spec,
    machine,
    phase: 'requested',
    requestedUs: atUs,
    registeredUs: null,
    goneUs: null,
    deleting: null,
    lastPodEventUs: atUs,
    nominatedUntilUs: -Infinity,
    up: true,
    faultCount: 0,
    cordons: 0,
    ready: false,
    epoch: 0,
    requested: { cpuMillicores: 0, memoryBytes: 0 },
    pods: new Set(),
    images: new Map(),
  };
}

export interface NodeOrder {
  /** Position in the cluster's pools. */
  readonly pool: number;
  readonly zone: number;
  readonly machine: MachineType;
  readonly nodeStart: Distribution;
}

export function requestNode(sim: Sim, { pool, zone, machine, nodeStart }: NodeOrder, nowUs: number): SimNode {
  const { cluster } = sim.world.program.scenario;
  const { name: poolName, labels, taints, maxPods } = cluster.pools[pool]!;
  const ordinal = sim.fleet.filter(({ spec }) => spec.pool === poolName && spec.zone === zone).length;
  const name = `${poolName}-${cluster.zones[zone]!.name.replace('/', '-')}-${ordinal}`;
  const spec: NodeSpec = {
    name,
    pool: poolName,
    zone,
    labels: { [HOSTNAME_LABEL]: name, 'node.kubernetes.io/instance-type': machine.instanceType, ...labels[zone] },
    taints,
    maxPods,
    cpuMillicores: machine.cpuMillicores,
    memoryBytes: machine.memoryBytes,
    priceUsdPerHour: machine.priceUsdPerHour,
  };
  const node = newNode(spec, sim.fleet.length, machine, nowUs);
  sim.fleet.push(node);
  sim.world.nodes.push(spec);
  growProxies(sim.world.proxies, sim.fleet.length);
  const word = seedWord(sim.world.seed, `nodeStart/${pool}/${zone}`) + Math.imul(ordinal, GOLDEN);
  sim.calendar.at(nowUs + Math.round(drawFrom(nodeStart, mix(word))), (laterUs) => register(sim, node, laterUs));
  return node;
}

function register(sim: Sim, node: SimNode, nowUs: number): void {
  if (node.phase !== 'requested' || sim.zoneOutages[node.spec.zone]!.underWay > 0) return;
  node.phase = 'registered';
  node.ready = !sim.closedZones.has(node.spec.zone);
  node.registeredUs = nowUs;
  node.lastPodEventUs = nowUs;
  sim.nodes.push(node);
  noteNodes(sim.scheduler.view, sim.nodes);
  nodeChanged(sim, 'nodeAdded', node, nowUs);
}

/** The machine is given back: nobody pays for it any more. */
export function dropNode(sim: Sim, node: SimNode, nowUs: number): void {
  if (node.pods.size > 0) throw new Error(`${node.spec.name} goes with pods on it (seed ${sim.world.seed})`);
  const at = sim.nodes.indexOf(node);
  if (at >= 0) {
    sim.nodes.splice(at, 1);
    noteNodes(sim.scheduler.view, sim.nodes);
  }
  node.phase = 'gone';
  node.ready = false;
  node.goneUs = nowUs;
}
