/**
 * Where pods could go if there were nodes: for each pod, which of the places (a pool in a zone) suit it. The scheduler's own
 * filters answer, for a node of the place that does not exist and has room for anything: how much fits on one node, and who
 * bears whom there, is the autoscalers' own question. A pending pod is taken to go to the place with the fewest pods of its
 * service, and the rules of those after it see it there: the next one of a hard spread looks for another zone.
 */
import { HOSTNAME_LABEL, type BoundPod } from '../cluster/schedulerInput.js';
import { boundPods, supposedPod } from './nominations.js';
import { nodesThatPass } from './scheduling.js';
import { boundPodsFor } from './schedulerView.js';
import { startNode } from './nodes.js';
import type { Sim, SimNode, SimPod } from './state.js';

export interface Place {
  /** Its name. */
  readonly pool: string;
  readonly zone: number;
  /** Nodes may come there. Where none may and none is, nobody can go, and spreads do not count on it. */
  readonly mayGrow: boolean;
}

export interface PodPlaces {
  /** By place. */
  readonly ofPending: (pod: SimPod) => readonly boolean[];
  /** Of the pod that would take the place of this one. */
  readonly ofBound: (pod: SimPod) => readonly boolean[];
}

export function podPlaces(sim: Sim, places: readonly Place[]): PodPlaces {
  const { view } = sim.scheduler;
  const open = places.filter((place) => place.mayGrow || sim.nodes.some(({ spec }) => isAt(spec, place)));
  const blanks = open.map((place, i) => blankNode(sim, place, i, `blank ${i}`));
  // Hosts of the pods that are taken to go there: another node each may be bought, so the blank one has none of them.
  const hosts = open.map((place, i) => blankNode(sim, place, i, `host ${i}`));
  const nodes = [...sim.nodes, ...blanks, ...hosts];
  const standing = new Map<number, SimNode[]>();
  const assumed = new Map<number, BoundPod[]>();
  const memory = new Map<string, readonly boolean[]>();

  return {
    ofPending(pod) {
      const { service, index } = pod.workload;
      const { heeds, isHeeded } = view.services[service]!;
      const barred = isBarred(pod);
      const fit = barred
        ? passing(pod, standingOf(service), [
            ...boundPodsFor(view, service),
            ...heeds.flatMap((other) => assumed.get(other) ?? []),
          ])
        : remembered(`${index} ${pod.wanted?.zone}`, () => passing(pod, [], []));
      if (barred || isHeeded) assume(service, fit);
      return byPlace(fit);
    },
    ofBound(pod) {
      const successor = { ...pod, wanted: null };
      const { service, index } = pod.workload;
      if (!isBarred(pod)) return byPlace(remembered(`${index}`, () => passing(successor, [], [])));
      const { pool, zone } = pod.node!.spec;
      const fit = remembered(`${index} from ${pool} ${zone}`, () => {
        const others = boundPods(sim, service);
        others.splice(others.indexOf(pod.node!), 1);
        const itself = view.services[service]!.bound.get(pod);
        return passing(
          successor,
          others,
          boundPodsFor(view, service).filter((one) => one !== itself),
        );
      });
      return byPlace(fit);
    },
  };

  /** Whether other pods may bar places from it. */
  function isBarred({ workload }: SimPod): boolean {
    return workload.spread.zone === 'hard' || view.services[workload.service]!.isBarredByOthers;
  }

  /** Of the open places. */
  function passing(pod: SimPod, podsOfService: readonly SimNode[], bound: readonly BoundPod[]): readonly boolean[] {
    const from = sim.nodes.length;
    return nodesThatPass(sim, pod, { nodes, from, to: from + blanks.length, podsOfService, bound });
  }

  function byPlace(fit: readonly boolean[]): boolean[] {
    return places.map((place) => fit[open.indexOf(place)] ?? false);
  }

  function standingOf(service: number): SimNode[] {
    const known = standing.get(service) ?? boundPods(sim, service);
    standing.set(service, known);
    return known;
  }

  function assume(service: number, fit: readonly boolean[]): void {
    const there = standingOf(service);
    const inZone = (zone: number): number => there.filter(({ spec }) => spec.zone === zone).length;
    const [next] = hosts
      .filter((_, i) => fit[i])
      .map((node) => ({ node, count: inZone(node.spec.zone) }))
      .sort((a, b) => a.count - b.count || a.node.index - b.node.index);
    if (!next) return;
    there.push(next.node);
    const mine = assumed.get(service) ?? [];
    mine.push(supposedPod(view.services[service]!.rules, nodes.indexOf(next.node)));
    assumed.set(service, mine);
  }

  function remembered(key: string, make: () => readonly boolean[]): readonly boolean[] {
    const known = memory.get(key) ?? make();
    memory.set(key, known);
    return known;
  }
}

function isAt(spec: SimNode['spec'], { pool, zone }: Place): boolean {
  return spec.pool === pool && spec.zone === zone;
}

function blankNode(sim: Sim, { pool, zone }: Place, i: number, name: string): SimNode {
  const { labels, taints } = sim.world.program.scenario.cluster.pools.find((one) => one.name === pool)!;
  const spec = {
    name,
    pool,
    zone,
    labels: { [HOSTNAME_LABEL]: name, ...labels[zone] },
    taints,
    maxPods: Infinity,
    cpuMillicores: Infinity,
    memoryBytes: Infinity,
    priceUsdPerHour: null,
  };
  return startNode(spec, i, null, 0);
}
