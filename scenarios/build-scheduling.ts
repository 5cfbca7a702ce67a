/**
 * What the scheduler reads, from the file's words to the record: Kubernetes' defaults filled in, the labels that every node
 * has, and how long pods stay on a lost node.
 */
import { SUBZONE_LABEL } from '../engine/locality-match.js';
import {
  DEFAULT_LOST_NODE_TOLERATION_US,
  type LabelSelector,
  type Labels,
  type NodeSelectorTerm,
  type PodAffinityRules,
  type PodScheduling,
  type Requirement,
  type TaintEffect,
  type TopologySpreadConstraint,
} from './pod-scheduling.js';
import type { PodSchedulingFile } from './schema/scheduling.js';
import type { Zone } from './types.js';

export const ZONE_LABEL = 'topology.kubernetes.io/zone';
export const REGION_LABEL = 'topology.kubernetes.io/region';
export const HOSTNAME_LABEL = 'kubernetes.io/hostname';

/** What kubelet and cloud set on a node, and what its pool adds. */
export function nodeLabels(
  name: string,
  zone: Zone,
  zones: readonly Zone[],
  instanceType: string | undefined,
  ofPool: Labels,
): Labels {
  return {
    [HOSTNAME_LABEL]: name,
    ...(instanceType === undefined ? {} : { 'node.kubernetes.io/instance-type': instanceType }),
    ...placeLabels(zone, zones, ofPool),
  };
}

/** Those that a pool adds. */
export function labelsOfPool({
  labels,
  subzone,
}: {
  readonly labels: Labels;
  readonly subzone?: string | undefined;
}): Labels {
  return subzone === undefined ? labels : { [SUBZONE_LABEL]: subzone, ...labels };
}

/** Those that all nodes of a pool have in a zone. */
export function placeLabels(zone: Zone, zones: readonly Zone[], ofPool: Labels): Labels {
  return {
    [REGION_LABEL]: zone.region,
    [ZONE_LABEL]: zoneLabel(zone, zones),
    'kubernetes.io/os': 'linux',
    ...ofPool,
  };
}

/** Clouds give no two zones one name; where a scenario does, in different regions, the region goes before it. */
function zoneLabel({ region, zone }: Zone, zones: readonly Zone[]): string {
  return zones.filter((other) => other.zone === zone).length > 1 ? `${region}-${zone}` : zone;
}

export function buildPodScheduling(file: PodSchedulingFile, labels: Labels): PodScheduling {
  const { nodeAffinity, podAffinity, podAntiAffinity } = file.affinity;
  return {
    nodeSelector: file.nodeSelector,
    tolerations: file.tolerations.map(({ key = '', operator, value = '', effect = null }) => ({
      ...{ key, operator, value, effect },
    })),
    lostNodeTolerationUs: lostNodeTolerationUs(file.tolerations),
    nodeAffinity: (nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []).map(buildTerm),
    preferredNodes: nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.map(({ weight, preference }) => ({
      weight,
      term: buildTerm(preference),
    })),
    podAffinity: buildPodRules(podAffinity),
    podAntiAffinity: buildPodRules(podAntiAffinity),
    topologySpread: file.topologySpreadConstraints.map((constraint) => buildConstraint(constraint, labels)),
    priority: file.priority,
    image: file.image === undefined ? null : { name: file.image.name, sizeBytes: file.image.size },
    gates: file.schedulingGates.map(({ name, liftedAfter }) => ({ name, liftedAfterUs: liftedAfter })),
  };
}

/** The taint of a node whose lease has run out. */
const UNREACHABLE = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' } as const;

/** The shortest of the tolerations that apply; admission adds one of 300 s where none does. */
function lostNodeTolerationUs(tolerations: PodSchedulingFile['tolerations']): number | null {
  const applying = tolerations.filter(
    ({ key = '', operator, value = '', effect }) =>
      (key === '' || key === UNREACHABLE.key) &&
      (operator === 'Exists' || value === '') &&
      (effect === undefined || (effect satisfies TaintEffect) === UNREACHABLE.effect),
  );
  if (applying.length === 0) return DEFAULT_LOST_NODE_TOLERATION_US;
  const seconds = applying.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
  return seconds.length === 0 ? null : Math.max(0, Math.min(...seconds)) * 1e6;
}

interface TermFile {
  readonly matchExpressions: readonly RequirementFile[];
  readonly matchFields: readonly RequirementFile[];
}

interface RequirementFile {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

function buildTerm({ matchExpressions, matchFields }: TermFile): NodeSelectorTerm {
  return { matchExpressions: matchExpressions.map(buildRequirement), matchFields: matchFields.map(buildRequirement) };
}

/** The schema knows the operators. */
function buildRequirement({ key, operator, values }: RequirementFile): Requirement {
  return { key, operator: operator as Requirement['operator'], values };
}

type SelectorFile = PodSchedulingFile['topologySpreadConstraints'][number]['labelSelector'];

function buildSelector(file: SelectorFile): LabelSelector | null {
  if (file === undefined) return null;
  return { matchLabels: file.matchLabels, matchExpressions: file.matchExpressions.map(buildRequirement) };
}

function buildPodRules(file: PodSchedulingFile['affinity']['podAffinity']): PodAffinityRules {
  type TermOf = (typeof file.requiredDuringSchedulingIgnoredDuringExecution)[number];
  const term = ({ labelSelector, topologyKey }: TermOf) => ({ selector: buildSelector(labelSelector), topologyKey });
  return {
    required: file.requiredDuringSchedulingIgnoredDuringExecution.map(term),
    preferred: file.preferredDuringSchedulingIgnoredDuringExecution.map(({ weight, podAffinityTerm }) => ({
      ...term(podAffinityTerm),
      weight,
    })),
  };
}

function buildConstraint(
  file: PodSchedulingFile['topologySpreadConstraints'][number],
  labels: Labels,
): TopologySpreadConstraint {
  const { topologyKey, maxSkew, whenUnsatisfiable, nodeAffinityPolicy, nodeTaintsPolicy } = file;
  const selector = buildSelector(file.labelSelector);
  // A key that the pod does not have is passed over.
  const added = file.matchLabelKeys.flatMap((key): Requirement[] =>
    labels[key] === undefined ? [] : [{ key, operator: 'In', values: [labels[key]] }],
  );
  return {
    ...{ topologyKey, maxSkew, whenUnsatisfiable, nodeAffinityPolicy, nodeTaintsPolicy },
    selector: selector && { ...selector, matchExpressions: [...selector.matchExpressions, ...added] },
    minDomains: file.minDomains ?? 1,
  };
}
