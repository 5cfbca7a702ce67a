/**
 * The cluster in the scheduler's terms: one record for each node, one for what each service's pods ask for, and the bound
 * pods that rules speak of. Kept up to date as pods come and go, because for each pod to be placed all of it is read.
 */
import type { PodScheduling } from '../../scenarios/types.js';
import {
  HOSTNAME_LABEL,
  NO_LABELS,
  ZONE_LABEL,
  type BoundPod,
  type PodRules,
  type SpreadConstraint,
  type TotalNode,
  type TotalPod,
} from '../cluster/schedulerInput.js';
import type { Company } from '../cluster/nodeRoom.js';
import { interleaveZones, nonZeroRequests, type Resources } from '../cluster/scheduler.js';
import { matchesTerm } from '../cluster/podAffinity.js';
import { matchesSelector, type Labels, type LabelSelector } from '../cluster/selectors.js';
import type { Taint } from '../cluster/taints.js';
import type { Program } from '../program.js';
import { podRequests } from '../proxies.js';
import { companyOf } from './company.js';
import { NAMESPACE } from './snapshot.js';
import type { SimNode, SimPod } from './state.js';

export interface SchedulerView {
  /** As `sim.nodes`, and the place of each there. */
  nodes: readonly NodeRecord[];
  positions: ReadonlyMap<SimNode, number>;
  /** Of every node that there has been. */
  readonly records: Map<SimNode, NodeRecord>;
  /** Order in which nodes are visited. */
  visitOrder: readonly number[];
  /** Where the search over them stopped last. */
  visitFrom: number;
  /** By internal service index. */
  readonly services: readonly ServiceRecord[];
}

export interface ServiceRecord {
  readonly requests: Resources;
  readonly rules: PodRules;
  readonly spread: readonly SpreadConstraint[];
  /** Services whose pods matter for where this one's pods go: terms and constraints of either side speak of them. */
  readonly heeds: readonly number[];
  /** Whether they may keep a pod of this one off a node, by a hard spread or a required term. */
  readonly isBarredByOthers: boolean;
  /** What its pods are to those of the same node. */
  readonly company: Company;
  /** Whether some service heeds this one: else nobody asks for its bound pods. */
  readonly isHeeded: boolean;
  readonly bound: Map<SimPod, BoundPod>;
}

export function createSchedulerView(program: Program, nodes: readonly SimNode[]): SchedulerView {
  const view: SchedulerView = {
    nodes: [],
    positions: new Map(),
    records: new Map(),
    visitOrder: [],
    visitFrom: 0,
    services: serviceRecords(program),
  };
  noteNodes(view, nodes);
  return view;
}

/** The API has other nodes than before. */
export function noteNodes(view: SchedulerView, nodes: readonly SimNode[]): void {
  view.nodes = nodes.map((node) => {
    const record = recordOf(view, node);
    view.records.set(node, record);
    return record;
  });
  view.positions = new Map(nodes.map((node, position) => [node, position]));
  view.visitOrder = interleaveZones(nodes.map((node) => node.spec.zone));
  view.visitFrom = nodes.length === 0 ? 0 : view.visitFrom % nodes.length;
}

/** Also of a node that does not exist, to ask what would be. */
export function recordOf(view: SchedulerView, node: SimNode): NodeRecord {
  return view.records.get(node) ?? new NodeRecord(node);
}

export function noteBound(view: SchedulerView, pod: SimPod): void {
  const { requests, isHeeded, bound, rules } = view.services[pod.workload.service]!;
  view.records.get(pod.node!)!.add(requests, 1);
  if (isHeeded) bound.set(pod, new BoundRecord(pod, view, rules));
}

export function noteGone(view: SchedulerView, pod: SimPod): void {
  const { requests, bound } = view.services[pod.workload.service]!;
  view.records.get(pod.node!)!.add(requests, -1);
  bound.delete(pod);
}

/** What the scheduler is told of a pod that waits. */
export function schedulerPod(view: SchedulerView, pod: SimPod, preferredNode: number | null): TotalPod {
  const { requests, rules, spread } = view.services[pod.workload.service]!;
  const { workload, wanted } = pod;
  return {
    ...rules,
    requests,
    requiredZone: workload.pinnedZone ?? wanted?.zone ?? null,
    requiredNode: null,
    preferredNode,
    spread:
      workload.spread.zone === 'hard'
        ? [
            {
              topologyKey: 'zone',
              maxSkew: workload.spread.maxSkew,
              whenUnsatisfiable: 'DoNotSchedule',
              nodeTaintsPolicy: 'Ignore',
            },
            ...spread,
          ]
        : spread,
  };
}

/** The bound pods that have a say in where pods of the service go. */
export function boundPodsFor(view: SchedulerView, service: number): BoundPod[] {
  return view.services[service]!.heeds.flatMap((other) => [...view.services[other]!.bound.values()]);
}

/** State of the node is read where it is; the sums of what its pods request are kept up to date. */
class NodeRecord implements TotalNode {
  readonly zone: number;
  readonly name: string;
  readonly labels: Labels;
  readonly taints: readonly Taint[];
  readonly maxPods: number;
  readonly allocatable: Resources;
  readonly requested: SimNode['requested'];
  readonly nonZeroRequested = { cpuMillicores: 0, memoryBytes: 0 };
  readonly usedPorts = [];
  readonly imageBytes: Record<string, number> = {};

  constructor(private readonly node: SimNode) {
    const { spec } = node;
    this.zone = spec.zone;
    this.name = spec.name;
    this.labels = { [ZONE_LABEL]: String(spec.zone), [HOSTNAME_LABEL]: spec.name, ...spec.labels };
    this.taints = spec.taints;
    this.maxPods = spec.maxPods;
    this.requested = node.requested;
    this.allocatable = { cpuMillicores: spec.cpuMillicores, memoryBytes: spec.memoryBytes };
  }

  get podCount(): number {
    return this.node.pods.size;
  }

  get ready(): boolean {
    return this.node.ready;
  }

  get schedulable(): boolean {
    return this.node.cordons === 0;
  }

  imageArrived({ name, sizeBytes }: { readonly name: string; readonly sizeBytes: number }): void {
    this.imageBytes[name] = sizeBytes;
  }

  add(requests: Resources, sign: 1 | -1): void {
    const nonZero = nonZeroRequests(requests);
    this.requested.cpuMillicores += sign * requests.cpuMillicores;
    this.requested.memoryBytes += sign * requests.memoryBytes;
    this.nonZeroRequested.cpuMillicores += sign * nonZero.cpuMillicores;
    this.nonZeroRequested.memoryBytes += sign * nonZero.memoryBytes;
  }
}

class BoundRecord implements BoundPod {
  constructor(
    private readonly pod: SimPod,
    private readonly view: SchedulerView,
    private readonly rules: PodRules,
  ) {}

  get node(): number {
    return this.view.positions.get(this.pod.node!)!;
  }

  get namespace() {
    return this.rules.namespace;
  }

  get labels() {
    return this.rules.labels;
  }

  get affinity() {
    return this.rules.affinity;
  }

  get antiAffinity() {
    return this.rules.antiAffinity;
  }

  get terminating(): boolean {
    return this.pod.deletedUs !== null;
  }
}

function serviceRecords(program: Program): ServiceRecord[] {
  const parts = program.services.map(({ scheduling, labels }, service) => ({
    requests: podRequests(program, service),
    rules: rulesOf(scheduling, labels),
    spread: scheduling.topologySpread.map((constraint) => ({
      ...constraint,
      selector: constraint.selector ?? MATCHES_NOBODY,
    })),
  }));
  const heeds = parts.map((own) => parts.flatMap((other, index) => (matters(own, other) ? [index] : [])));
  const companies = companyOf(parts);
  return parts.map((part, service) => ({
    ...part,
    heeds: heeds[service]!,
    isBarredByOthers: isBarred(
      part,
      heeds[service]!.map((other) => parts[other]!),
    ),
    company: companies[service]!,
    isHeeded: heeds.some((list) => list.includes(service)),
    bound: new Map(),
  }));
}

const MATCHES_NOBODY: LabelSelector = {
  matchLabels: {},
  matchExpressions: [{ key: HOSTNAME_LABEL, operator: 'In', values: [] }],
};

function rulesOf(scheduling: PodScheduling, labels: Labels): PodRules {
  const { nodeSelector, tolerations, nodeAffinity, preferredNodes, podAffinity, podAntiAffinity, image } = scheduling;
  const term = <T extends object>(one: T) => ({ ...one, namespaces: [] });
  return {
    namespace: NAMESPACE,
    labels,
    // Pods are not handed to the scheduler before their gates are lifted.
    schedulingGates: [],
    tolerations,
    nodeSelector: Object.keys(nodeSelector).length === 0 ? NO_LABELS : nodeSelector,
    nodeAffinity,
    preferredNodes,
    affinity: { required: podAffinity.required.map(term), preferred: podAffinity.preferred.map(term) },
    antiAffinity: { required: podAntiAffinity.required.map(term), preferred: podAntiAffinity.preferred.map(term) },
    hostPorts: [],
    images: image === null ? [] : [image.name],
  };
}

type Part = Pick<ServiceRecord, 'rules' | 'spread'>;

function isBarred({ rules, spread }: Part, heeded: readonly Part[]): boolean {
  return (
    rules.affinity.required.length > 0 ||
    rules.antiAffinity.required.length > 0 ||
    spread.some(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule') ||
    heeded.some((other) => other.rules.antiAffinity.required.length > 0)
  );
}

/** Whether pods of `other` that are bound change where a pod of `own` may go, or is liked best. */
function matters(own: Part, other: Part): boolean {
  const speaksOf = (speaker: PodRules, of: PodRules): boolean =>
    [speaker.affinity, speaker.antiAffinity]
      .flatMap(({ required, preferred }) => [...required, ...preferred])
      .some((term) => matchesTerm(term, speaker.namespace, of));
  return (
    own.spread.some(({ selector }) => selector !== undefined && matchesSelector(selector, other.rules.labels)) ||
    speaksOf(own.rules, other.rules) ||
    speaksOf(other.rules, own.rules)
  );
}
