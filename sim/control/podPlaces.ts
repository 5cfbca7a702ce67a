/**
 * Where pods could go if there were nodes: for each pod, which of the places (a pool in a zone) suit it. The scheduler's own
 * filters answer, for a node of the place that does not exist and has room for anything: how much fits is the autoscalers'
 * own question. A pending pod is taken to go to the place with the fewest pods of its service, so that the next one of a
 * hard spread looks for another zone.
 */
import { boundPods, nodesThatPass } from './scheduling.js';
import { startNode } from './nodes.js';
import type { Sim, SimNode, SimPod } from './state.js';

export interface Place {
  /** Its name. */
  readonly pool: string;
  readonly zone: number;
}

export interface PodPlaces {
  /** By place. */
  readonly ofPending: (pod: SimPod) => readonly boolean[];
  /** Of the pod that would take the place of this one. */
  readonly ofBound: (pod: SimPod) => readonly boolean[];
}

export function podPlaces(sim: Sim, places: readonly Place[]): PodPlaces {
  const blanks = places.map((place, i) => blankNode(place, i));
  const nodes = [...sim.nodes, ...blanks];
  const assumed = new Map<number, SimNode[]>();
  const memory = new Map<string, readonly boolean[]>();
  const passing = (pod: SimPod, bound: readonly SimNode[]): readonly boolean[] =>
    nodesThatPass(sim, pod, nodes, bound).slice(sim.nodes.length);

  return {
    ofPending(pod) {
      const { service, spread } = pod.workload;
      const mine = assumed.get(service) ?? [];
      assumed.set(service, mine);
      if (spread.zone !== 'hard')
        return remembered(`${pod.workload.index} ${pod.wanted?.zone}`, () => passing(pod, []));
      const bound = [...boundPods(sim, service), ...mine];
      const fit = passing(pod, bound);
      const inZone = (zone: number): number => bound.filter(({ spec }) => spec.zone === zone).length;
      const [next] = blanks
        .filter((_, i) => fit[i])
        .sort((a, b) => inZone(a.spec.zone) - inZone(b.spec.zone) || a.index - b.index);
      if (next) mine.push(next);
      return fit;
    },
    ofBound(pod) {
      const successor = { ...pod, wanted: null };
      const { service, spread, index } = pod.workload;
      if (spread.zone !== 'hard') return remembered(`${index}`, () => passing(successor, []));
      return remembered(`${index} ${pod.node!.spec.zone}`, () => {
        const bound = boundPods(sim, service);
        bound.splice(bound.indexOf(pod.node!), 1);
        return passing(successor, bound);
      });
    },
  };

  function remembered(key: string, make: () => readonly boolean[]): readonly boolean[] {
    const known = memory.get(key) ?? make();
    memory.set(key, known);
    return known;
  }
}

function blankNode({ pool, zone }: Place, i: number): SimNode {
  const spec = {
    name: `blank ${i}`,
    pool,
    zone,
    cpuMillicores: Infinity,
    memoryBytes: Infinity,
    priceUsdPerHour: null,
  };
  return startNode(spec, i, null, 0);
}
