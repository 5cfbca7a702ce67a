/**
 * Subsets of a host (SEMANTICS A17). A host may have several versions, each a service of the scenario with labels of its
 * own; a subset of the DestinationRule picks pods by labels, and here all pods of a service have the same ones. A subset
 * is an upstream cluster of its own, with its own connections, breakers and detectors, and so is the host as a whole: each
 * is an edge of its own. The policy of a subset is the rule's, with the fields that the subset sets in their place.
 */
import type { Service } from '../../scenarios/types.js';
import type { Spec } from './localitySetting.js';

/** Declared positions of the services whose pods a subset holds; without a subset, of all versions of the host. */
export function servicesOfSubset(
  services: readonly Service[],
  host: number,
  ruleSpec: Spec | null,
  subset: string | null,
): readonly number[] | 'unknown subset' {
  const labels = subset === null ? {} : subsetsOf(ruleSpec).find(({ name }) => name === subset)?.labels;
  if (labels === undefined) return 'unknown subset';
  return services.flatMap((service, index) =>
    (index === host || service.versionOf === host) && carries(service.labels, labels) ? [index] : [],
  );
}

/** The spec that holds for one version: what its subset says goes before what the rule says. */
export function ruleOfVersion(ruleSpec: Spec | null, labels: Readonly<Record<string, string>>): Spec | null {
  return ruleWith(
    ruleSpec,
    subsetsOf(ruleSpec).find((candidate) => carries(labels, candidate.labels)),
  );
}

/** The spec that holds for a subset by its name. */
export function ruleOfSubset(ruleSpec: Spec | null, subset: string): Spec | null {
  return ruleWith(
    ruleSpec,
    subsetsOf(ruleSpec).find(({ name }) => name === subset),
  );
}

function ruleWith(ruleSpec: Spec | null, subset: Subset | undefined): Spec | null {
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
