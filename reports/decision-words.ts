/**
 * Decisions in words, for whatever prints them: what is done to whom, and where. One switch over all kinds, which the
 * compiler keeps whole: a new kind is a new case here and in `patches.ts`.
 */
import type { Decision, Skipped, WorkloadRef } from '../engine/types.js';

export interface DecisionWords {
  /** `scaleUp default/checkout`. */
  readonly title: string;
  /** In a few words: `3 -> 5 replicas`. */
  readonly action: string;
  /** Where, one line each. */
  readonly places: readonly string[];
  /** Two decisions with the same slot speak of the same thing: only one of them can stand. */
  readonly slot: string;
}

export function decisionWords(decision: Decision): DecisionWords {
  const name = nameOf(decision.workload);
  const title = `${decision.kind} ${name}`;
  const about = `${decision.workload.kind} ${name}`;
  switch (decision.kind) {
    case 'scaleUp':
      return {
        title,
        action: replicas(decision),
        places: decision.placements.map(({ node, zone }) => `new pod on ${node} (${zone})`),
        slot: `replicas of ${about}`,
      };
    case 'scaleDown':
      return {
        title,
        action: replicas(decision),
        places: decision.victims.map(({ pod, node }) => `without ${pod} on ${node}`),
        slot: `replicas of ${about}`,
      };
    case 'move':
      return {
        title,
        action: `pod ${decision.pod} to ${decision.toNode}, ${decision.replicas} replicas stay`,
        places: [`from ${decision.fromNode}`, `to ${decision.toNode} (${decision.toZone})`],
        slot: `place of pod ${decision.workload.namespace}/${decision.pod}`,
      };
    case 'place':
      return {
        title,
        action: `pod ${decision.pod} on ${decision.node}`,
        places: [`in zone ${decision.zone}`],
        slot: `place of pod ${decision.workload.namespace}/${decision.pod}`,
      };
    case 'setRoute': {
      const { namespace, name: rule, create } = decision.destinationRule;
      return {
        title,
        action: `${create ? 'new ' : ''}DestinationRule ${namespace}/${rule}`,
        places: decision.distribute.map(({ from, to }) => {
          const shares = Object.entries(to).map(([place, percent]) => `${place} ${percent}%`);
          return `from ${from}: ${shares.join(', ')}`;
        }),
        slot: `route to ${decision.host}`,
      };
    }
    default:
      return unknownKind(decision);
  }
}

/** Which part of the engine speaks of a decision's matter when it leaves it alone. */
export function partOf(decision: Decision): Skipped['part'] {
  if (decision.kind === 'move') return 'moves';
  return decision.kind === 'setRoute' ? 'balancer' : 'scaler';
}

export function nameOf({ namespace, name }: WorkloadRef): string {
  return `${namespace}/${name}`;
}

/** A record from elsewhere may hold a kind that this version does not know. */
export function unknownKind(decision: never): never {
  throw new Error(`decision of unknown kind ${JSON.stringify((decision as Decision).kind)}`);
}

function replicas({
  replicasFrom,
  replicasTo,
}: {
  readonly replicasFrom: number;
  readonly replicasTo: number;
}): string {
  return `${replicasFrom} -> ${replicasTo} replicas`;
}
