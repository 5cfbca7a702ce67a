/**
 * The policies that are compared, as data: what each writes into the scenario file of a case. One line adds one. A policy
 * whose settings the loader refuses as unknown belongs to a later version and is left out, by name, never in silence.
 */
import type { Fields, QualityCase } from './cases.js';

/** How the mesh treats zones when nothing of ours writes routes. */
export type Locality = 'priority' | 'off' | 'preferSameZone';

export interface QualityPolicy {
  readonly name: string;
  readonly about: string;
  readonly locality: Locality;
  /** Whether it has the autoscalers of the case. */
  readonly hpa: boolean;
  readonly hardSpread?: true;
  readonly perZone?: true;
  /** Settings of the engine that differ from its defaults; bounds of the replicas are those of the autoscalers. */
  readonly engine?: { readonly scaler: Fields; readonly balancer: Fields };
}

/** Names that other parts ask for. */
export const PRIORITY = 'hpa';
export const NO_LOCALITY = 'hpa, locality off';
export const PER_ZONE = 'hpa per zone';

const FULL = { mode: 'full' };
const PLACEMENT = { mode: 'placement' };
const INHERITED = { enabled: true };
const MODEL = { enabled: true, rule: 'model' };

export const POLICIES: readonly QualityPolicy[] = [
  { name: 'static', about: 'The pods of the start, locality priority.', locality: 'priority', hpa: false },
  {
    name: PRIORITY,
    about: 'One HPA, locality priority (a DestinationRule with outlier detection).',
    locality: 'priority',
    hpa: true,
  },
  { name: NO_LOCALITY, about: 'One HPA, every pod of every zone as good as any other.', locality: 'off', hpa: true },
  {
    name: 'hpa, hard spread',
    about: 'As `hpa`, with topology spread that insists on equal zones.',
    locality: 'priority',
    hpa: true,
    hardSpread: true,
  },
  {
    name: PER_ZONE,
    about: 'A Deployment and an HPA in each zone, locality priority.',
    locality: 'priority',
    hpa: true,
    perZone: true,
  },
  {
    name: 'prefer-same-zone',
    about: 'One HPA, `trafficDistribution: PreferSameZone` on each Service.',
    locality: 'preferSameZone',
    hpa: true,
  },
  {
    name: 'wavetank',
    about: 'The engine counts, places and routes by the inherited rule.',
    locality: 'priority',
    hpa: false,
    engine: { scaler: FULL, balancer: INHERITED },
  },
  {
    name: 'wavetank, model',
    about: 'The same by the model-based rule.',
    locality: 'priority',
    hpa: false,
    engine: { scaler: FULL, balancer: MODEL },
  },
  {
    name: 'hpa+wavetank',
    about: 'The HPA counts; the engine places and routes by the inherited rule.',
    locality: 'priority',
    hpa: true,
    engine: { scaler: PLACEMENT, balancer: INHERITED },
  },
  {
    name: 'hpa+wavetank, model',
    about: 'The same by the model-based rule.',
    locality: 'priority',
    hpa: true,
    engine: { scaler: PLACEMENT, balancer: MODEL },
  },
];

/** The policy as it stands under `spec.policies` of the case's file. */
export function policyFields(policy: QualityPolicy, { hpa, spec }: QualityCase): Fields {
  const scaled = Object.keys(hpa);
  const hard = Object.fromEntries(scaled.map((service) => [service, { zone: 'hard', maxSkew: 1 }]));
  return {
    ...(policy.hpa ? { hpa } : {}),
    ...(policy.hardSpread ? { spread: hard } : {}),
    ...(policy.perZone ? { deploymentPerZone: scaled } : {}),
    ...(policy.engine ? { engine: { ...policy.engine, workloads: boundsOf(hpa, spec.services) } } : {}),
  };
}

/** A service without an autoscaler keeps its pods, under the engine too: both sides may change the same things. */
function boundsOf(hpa: QualityCase['hpa'], services: QualityCase['spec']['services']): Fields {
  return Object.fromEntries(
    services.map(({ name, replicas }) => {
      const bounds = hpa[name] ?? { min: countOf(replicas ?? 1), max: countOf(replicas ?? 1) };
      return [name, { minReplicas: bounds.min, maxReplicas: bounds.max }];
    }),
  );
}

/** Replicas are a number, or numbers by zone. */
function countOf(replicas: unknown): number {
  if (typeof replicas === 'number') return replicas;
  return Object.values(replicas as Record<string, number>).reduce((sum, count) => sum + count, 0);
}
