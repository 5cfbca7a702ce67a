/**
 * Subsets of a host (SEMANTICS A17). A host may have several versions, each a service of the scenario with labels of its
 * own; a subset of the DestinationRule picks pods by labels, and here all pods of a service have the same ones. A subset
 * is an upstream cluster of its own, with its own connections, breakers and detectors, so each version is an edge of its
 * own. Its policy is the rule's, with the fields that the subset sets in their place.
 */
import type { Service } from '../../scenarios/types.js';
import type { Spec } from './localitySetting.js';

/** Declared position of the service whose pods a subset holds; why not, where there is none. */
export function serviceOfSubset(
  services: readonly Service[],
  host: number,
  ruleSpec: Spec | null,
  subset: string,
): number | 'unknown subset' | 'no pods' {
  const labels = subsetsOf(ruleSpec).find(({ name }) => name === subset)?.labels;
  if (labels === undefined) return 'unknown subset';
  const found = services.findIndex(
    (service, index) => (index === host || service.versionOf === host) && carries(service.labels, labels),
  );
  return found < 0 ? 'no pods' : found;
}

/** The spec that holds for one version: what its subset says goes before what the rule says. */
export function ruleOfVersion(ruleSpec: Spec | null, labels: Readonly<Record<string, string>>): Spec | null {
  const subset = subsetsOf(ruleSpec).find((candidate) => carries(labels, candidate.labels));
  if (ruleSpec === null || subset?.trafficPolicy === undefined) return ruleSpec;
  return {
    ...ruleSpec,
    trafficPolicy: { ...(ruleSpec['trafficPolicy'] as object | undefined), ...subset.trafficPolicy },
  };
}

interface Subset {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly trafficPolicy?: object;
}

/** Checked by the loader. */
function subsetsOf(ruleSpec: Spec | null): readonly Subset[] {
  const raw = (ruleSpec?.['subsets'] ?? []) as readonly {
    name: string;
    labels?: Subset['labels'];
    trafficPolicy?: object;
  }[];
  return raw.map(({ labels, ...rest }) => ({ ...rest, labels: labels ?? {} }));
}

function carries(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}
