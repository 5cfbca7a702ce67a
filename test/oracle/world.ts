/** The scheduler's cases, in the API's shapes, as our scheduler takes them. */
import type {
  BoundPod,
  HostPort,
  PodAffinity,
  ScheduleInput,
  SchedulerNode,
  SpreadConstraint,
} from '../../sim/cluster/schedulerInput.js';
import { nonZeroRequests } from '../../sim/cluster/scheduler.js';
import type { Labels, LabelSelector, NodeSelectorTerm, Requirement } from '../../sim/cluster/selectors.js';
import type { Taint, TaintEffect } from '../../sim/cluster/taints.js';

interface ApiSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: ApiRequirement[];
}
type ApiRequirement = Omit<Requirement, 'values'> & { readonly values?: string[] };
interface ApiNodeTerm {
  readonly matchExpressions?: ApiRequirement[];
  readonly matchFields?: ApiRequirement[];
}
interface ApiPodTerm {
  readonly labelSelector: ApiSelector;
  readonly topologyKey: string;
  readonly namespaces?: string[];
}
interface ApiPodTerms {
  readonly required?: ApiPodTerm[];
  readonly preferred?: { readonly weight: number; readonly podAffinityTerm: ApiPodTerm }[];
}
interface ApiSpread extends Omit<SpreadConstraint, 'selector' | 'nodeTaintsPolicy'> {
  readonly labelSelector: ApiSelector;
  readonly nodeTaintsPolicy?: 'Ignore' | 'Honor';
}

export interface WorldNode {
  readonly zone: number;
  readonly cpu: number;
  readonly mem: number;
  readonly pods: number;
  readonly cordoned?: boolean;
  readonly lost?: boolean;
  readonly labels?: Labels;
  readonly taints?: { readonly key: string; readonly value?: string; readonly effect: TaintEffect }[];
  readonly images?: Record<string, number>;
}

export interface WorldPod {
  readonly node?: number;
  readonly terminating?: boolean;
  readonly ns: string;
  readonly labels: Labels;
  readonly cpu?: number;
  readonly mem?: number;
  readonly images?: string[];
  readonly ports?: { readonly hostPort: number; readonly protocol: string; readonly hostIP: string }[];
  readonly tolerations?: { key?: string; operator: 'Equal' | 'Exists'; value?: string; effect?: TaintEffect }[];
  readonly nodeSelector?: Labels;
  readonly nodeTerms?: ApiNodeTerm[];
  readonly preferredNodes?: { readonly weight: number; readonly preference: ApiNodeTerm }[];
  readonly near?: ApiPodTerms;
  readonly away?: ApiPodTerms;
  readonly spread?: ApiSpread[];
}

const MI = 2 ** 20;

export function scheduleInput(nodes: readonly WorldNode[], bound: readonly WorldPod[], pod: WorldPod): ScheduleInput {
  const nodeOf = ({ node = 0 }: WorldPod) => node;
  return {
    kubernetesMinor: 37,
    pod: {
      requests: requestsOf(pod),
      requiredZone: null,
      requiredNode: null,
      preferredNode: null,
      namespace: pod.ns,
      labels: pod.labels,
      images: pod.images ?? [],
      hostPorts: portsOf(pod),
      tolerations: (pod.tolerations ?? []).map(({ key = '', operator, value = '', effect = null }) => {
        return { key, operator, value, effect };
      }),
      ...(pod.nodeSelector && { nodeSelector: pod.nodeSelector }),
      nodeAffinity: (pod.nodeTerms ?? []).map(nodeTerm),
      preferredNodes: (pod.preferredNodes ?? []).map(({ weight, preference }) => ({
        weight,
        term: nodeTerm(preference),
      })),
      affinity: podTerms(pod.near),
      antiAffinity: podTerms(pod.away),
      spread: (pod.spread ?? []).map(({ labelSelector, nodeTaintsPolicy = 'Ignore', ...rest }) => {
        return { ...rest, nodeTaintsPolicy, selector: selector(labelSelector) };
      }),
    },
    nodes: nodes.map((node, index) =>
      schedulerNode(
        node,
        index,
        bound.filter((other) => nodeOf(other) === index),
      ),
    ),
    // Each namespace has a service for each app.
    podsOfService: bound
      .filter(({ ns, labels, terminating }) => ns === pod.ns && labels['app'] === pod.labels['app'] && !terminating)
      .map(nodeOf),
    boundPods: bound.map((other): BoundPod => ({
      node: nodeOf(other),
      namespace: other.ns,
      labels: other.labels,
      terminating: other.terminating ?? false,
      affinity: podTerms(other.near),
      antiAffinity: podTerms(other.away),
    })),
    visitOrder: nodes.map((_, index) => index),
    visitFrom: 0,
    pick: () => 0,
  };
}

function schedulerNode(node: WorldNode, index: number, bound: readonly WorldPod[]): SchedulerNode {
  const requests = bound.map(requestsOf);
  const sum = (all: typeof requests) => ({
    cpuMillicores: all.reduce((total, { cpuMillicores }) => total + cpuMillicores, 0),
    memoryBytes: all.reduce((total, { memoryBytes }) => total + memoryBytes, 0),
  });
  return {
    name: `n${index}`,
    zone: node.zone,
    ready: !node.lost,
    schedulable: !node.cordoned,
    allocatable: { cpuMillicores: node.cpu, memoryBytes: node.mem * MI },
    requested: sum(requests),
    nonZeroRequested: sum(requests.map(nonZeroRequests)),
    labels: node.labels ?? {},
    taints: (node.taints ?? []).map(({ key, value = '', effect }): Taint => ({ key, value, effect })),
    maxPods: node.pods,
    podCount: bound.length,
    usedPorts: bound.flatMap(portsOf),
    imageBytes: node.images ?? {},
  };
}

function requestsOf({ cpu = 0, mem = 0 }: WorldPod) {
  return { cpuMillicores: cpu, memoryBytes: mem * MI };
}

function portsOf({ ports = [] }: WorldPod): HostPort[] {
  return ports.map(({ hostPort, protocol, hostIP }) => ({ protocol, port: hostPort, hostIp: hostIP }));
}

function podTerms({ required = [], preferred = [] }: ApiPodTerms = {}): PodAffinity {
  return {
    required: required.map(podTerm),
    preferred: preferred.map(({ weight, podAffinityTerm }) => ({ weight, ...podTerm(podAffinityTerm) })),
  };
}

function podTerm({ labelSelector, topologyKey, namespaces = [] }: ApiPodTerm) {
  return { selector: selector(labelSelector), topologyKey, namespaces };
}

function nodeTerm({ matchExpressions = [], matchFields = [] }: ApiNodeTerm): NodeSelectorTerm {
  return { matchExpressions: matchExpressions.map(requirement), matchFields: matchFields.map(requirement) };
}

function selector({ matchLabels = {}, matchExpressions = [] }: ApiSelector): LabelSelector {
  return { matchLabels, matchExpressions: matchExpressions.map(requirement) };
}

function requirement({ values = [], ...rest }: ApiRequirement): Requirement {
  return { ...rest, values };
}
