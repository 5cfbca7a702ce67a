/**
 * Decisions as what a GitOps repository or `kubectl apply --server-side` takes: one YAML document for each object, holding
 * only the fields that are ours, so that every other owner keeps its own. Each is preceded by the reason. What no object
 * says (where a pod goes, which pod should leave) is a comment. Of several snapshots only the newest is to be acted on.
 */
import { stringify } from 'yaml';
import type { Decision, KubeObject, ScaleDown, ScaleUp, SetRoute, WorkloadKind } from '../engine/types.js';
import { decisionWords, unknownKind } from './decision-words.js';
import { stepTitle, type DecidedStep } from './decisions-text.js';
import { printable, wrap } from './format.js';

export interface PatchedStep extends DecidedStep {
  readonly destinationRules: readonly KubeObject[];
}

const API_VERSIONS: Readonly<Record<WorkloadKind, string>> = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  Rollout: 'argoproj.io/v1alpha1',
};

/** Of a rule that is created: served since Istio 1.22. */
const ISTIO_API = 'networking.istio.io/v1';

const SCHEDULER_CHOOSES = 'The scheduler has the last word on the nodes: a count says nothing of places.';

const REPLICA_SET_CHOOSES =
  'The ReplicaSet chooses who goes: for this choice, set controller.kubernetes.io/pod-deletion-cost of these pods low first.';

const HEADER = [
  'Apply with: kubectl apply --server-side --field-manager=wavetank -f FILE',
  'Where another manager owns a field (spec.replicas, say), kubectl reports a conflict: settle who owns it before forcing. A kubectl before 1.25 needs --validate=false.',
];

/** Steps in the order of time. Only the last one is to be applied: what an earlier one asked for is out of date by now. */
export function patchesYaml(steps: readonly PatchedStep[]): string {
  const history = steps.slice(0, -1).flatMap((step) => {
    const lines = step.output.decisions.flatMap((decision) => patchOf(decision, step).lines);
    return lines.length === 0 ? [] : [stepTitle(step), ...lines, 'Out of date: a later snapshot follows.'];
  });
  const blocks = [comment([...HEADER, ...history])];
  let comments: string[] = [];
  const last = steps.at(-1);
  if (last !== undefined && steps.length > 1) comments.push(stepTitle(last));
  if (last === undefined || last.output.decisions.length === 0) comments.push('No decisions: nothing to apply.');
  for (const decision of last?.output.decisions ?? []) {
    const { object, lines } = patchOf(decision, last!);
    comments.push(...lines);
    if (object === null) continue;
    blocks.push(`---\n${comment(comments)}${stringify(object, { lineWidth: 0 })}`);
    comments = [];
  }
  return blocks.join('') + comment(comments);
}

interface Patch {
  readonly object: PatchObject | null;
  readonly lines: readonly string[];
}

interface PatchObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

function patchOf(decision: Decision, step: PatchedStep): Patch {
  const { title, action, places } = decisionWords(decision);
  const head = [`${title}: ${action}`, `because ${decision.because}`];
  switch (decision.kind) {
    case 'scaleUp':
      return { object: scalePatch(decision), lines: [...head, ...places, SCHEDULER_CHOOSES] };
    case 'scaleDown':
      return {
        object: scalePatch(decision),
        lines: [...head, ...places, ...(decision.workload.kind === 'StatefulSet' ? [] : [REPLICA_SET_CHOOSES])],
      };
    case 'setRoute':
      return { object: routePatch(decision, step.destinationRules), lines: head };
    case 'move':
    case 'place':
      return { object: null, lines: [...head, ...places] };
    default:
      return unknownKind(decision);
  }
}

function scalePatch({ workload, replicasTo }: ScaleUp | ScaleDown): PatchObject {
  const { kind, namespace, name } = workload;
  return { apiVersion: API_VERSIONS[kind], kind, metadata: { namespace, name }, spec: { replicas: replicasTo } };
}

function routePatch(decision: SetRoute, rules: readonly KubeObject[]): PatchObject {
  const { namespace, name, create } = decision.destinationRule;
  const standing = rules.find(
    ({ metadata }) => metadata.name === name && (metadata.namespace ?? 'default') === namespace,
  );
  return {
    apiVersion: standing?.apiVersion ?? ISTIO_API,
    kind: 'DestinationRule',
    metadata: { namespace, name },
    spec: {
      ...(create ? { host: decision.host } : {}),
      trafficPolicy: { loadBalancer: { localityLbSetting: decision.localityLbSetting } },
    },
  };
}

const COMMENT_CELLS = 118;

/** No text from elsewhere can end a comment: line ends are made visible. */
function comment(lines: readonly string[]): string {
  return lines
    .flatMap((line) => wrap(printable(line), COMMENT_CELLS))
    .map((line) => `# ${line}\n`)
    .join('');
}
