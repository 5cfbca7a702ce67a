/**
 * One loop of the Cluster Autoscaler: from node groups, nodes with their pods, and pods that found no node, which group
 * grows and which nodes go. It looks at requests, never at usage. Pure: what it remembers comes in and goes out; the caller
 * carries decisions out and shows the result at the next loop (`targetNodes`, `deleting`).
 *
 * Order of a loop: end requests that came true or timed out; halt if too many nodes are unready; grow; and only where
 * nothing grew, see which nodes nobody needs, and remove those that have been so for long enough.
 *
 * Source: cluster-autoscaler's core/static_autoscaler.go, clusterstate, core/scaledown (eligibility, planner, unneeded,
 * budgets) and utils/backoff, with the FAQ's defaults. Candidates go by: unneeded already, empty, name; the real order
 * among equals is that of a map. Not modelled: cluster-wide limits, balancing similar groups, group health.
 */
import { bestExpansion, emptyNode, type Expander, type NodeGroup, type WaitingPod } from './nodeGroups.js';
import { fits, occupy, roomOf, type Amounts, type Guest, type Room } from './nodeRoom.js';

export type { Expander, NodeGroup, WaitingPod } from './nodeGroups.js';

export interface AutoscaledPod extends Guest {
  readonly name: string;
  /** Stays with its node and goes with it: a DaemonSet's or static pod. */
  readonly daemon: boolean;
  /** Its disruption budget, controller and storage let it go; the caller knows. */
  readonly movable: boolean;
  readonly groups: readonly string[];
}

export interface AutoscaledNode {
  readonly name: string;
  /** Null: not of any group; pods may move there, but it is never removed. */
  readonly group: string | null;
  readonly createdAtUs: number;
  readonly ready: boolean;
  readonly allocatable: Amounts;
  readonly podSlots: number;
  readonly pods: readonly AutoscaledPod[];
  /** The annotation `scale-down-disabled`. */
  readonly scaleDownDisabled: boolean;
  readonly deleting: 'empty' | 'drain' | null;
}

export interface AutoscalerState {
  readonly requests: readonly { readonly group: string; readonly dueUs: number }[];
  readonly backOffs: readonly {
    readonly group: string;
    readonly lengthUs: number;
    readonly untilUs: number;
    readonly failedAtUs: number;
  }[];
  readonly unneeded: readonly { readonly node: string; readonly sinceUs: number }[];
  /** Nodes whose pods had no place to go: looked at again only then. */
  readonly unremovable: readonly { readonly node: string; readonly untilUs: number }[];
  readonly grewAtUs: number | null;
  /** When a removal last failed; the caller sets it. */
  readonly failedAtUs: number | null;
}

export type AutoscalerDecision =
  | { readonly kind: 'add'; readonly group: string; readonly nodes: number; readonly because: string }
  | { readonly kind: 'remove'; readonly node: string; readonly drain: boolean; readonly because: string }
  /** Nodes that never came: the group's target falls by so many. */
  | { readonly kind: 'abandon'; readonly group: string; readonly nodes: number; readonly because: string }
  | { readonly kind: 'halt'; readonly because: string };

export interface AutoscalerInput {
  readonly nowUs: number;
  readonly groups: readonly NodeGroup[];
  readonly nodes: readonly AutoscaledNode[];
  /** Pods that the scheduler could not place, the most important first. */
  readonly pending: readonly WaitingPod[];
  readonly expander: Expander;
  /** In [0, 1), new at each loop. */
  readonly draw: number;
  readonly settings: AutoscalerSettings;
  readonly state: AutoscalerState;
}

/** Flags of the autoscaler that a scenario may set. */
export interface AutoscalerSettings {
  /** `--max-node-provision-time`; also how long a node that is not ready yet counts as on its way. */
  readonly maxNodeProvisionUs: number;
  /** Share of allocatable: nodes that are asked for less may go. */
  readonly utilizationThreshold: number;
  readonly unneededReadyUs: number;
  readonly unneededUnreadyUs: number;
  readonly delayAfterAddUs: number;
  readonly delayAfterFailureUs: number;
}

const SECOND_US = 1_000_000;
const MINUTE_US = 60 * SECOND_US;
/** `--max-graceful-termination-sec`: what a drain waits at most for a pod to end. */
export const MAX_GRACEFUL_TERMINATION_US = 600 * SECOND_US;
/** Pods all younger than this wait one loop: more of their kind may follow. */
const POD_BATCH_US = 2 * SECOND_US;
const BACK_OFF_MIN_US = 5 * MINUTE_US;
const BACK_OFF_MAX_US = 30 * MINUTE_US;
/** A group that did not fail for so long begins at the shortest back-off again. */
const BACK_OFF_RESET_US = 180 * MINUTE_US;
/** Both must be passed: a small cluster may lose most of its nodes without halting. */
const UNREADY_PART_MAX = 0.45;
const UNREADY_COUNT_MAX = 3;
const UNREMOVABLE_RECHECK_US = 5 * MINUTE_US;
const PARALLEL_REMOVALS_MAX = 10;
const PARALLEL_DRAINS_MAX = 1;
export const DEFAULT_AUTOSCALER_SETTINGS: AutoscalerSettings = {
  maxNodeProvisionUs: 15 * MINUTE_US,
  utilizationThreshold: 0.5,
  unneededReadyUs: 10 * MINUTE_US,
  unneededUnreadyUs: 20 * MINUTE_US,
  delayAfterAddUs: 10 * MINUTE_US,
  delayAfterFailureUs: 3 * MINUTE_US,
};

export function newAutoscalerState(): AutoscalerState {
  return { requests: [], backOffs: [], unneeded: [], unremovable: [], grewAtUs: null, failedAtUs: null };
}

export interface AutoscalerOutcome {
  readonly decisions: readonly AutoscalerDecision[];
  readonly state: AutoscalerState;
}

export function autoscaleNodes(input: AutoscalerInput): AutoscalerOutcome {
  const settled = settleRequests(input);
  const unready = input.nodes.filter((node) => !node.ready && !isOnItsWay(node, input)).length;
  if (unready > UNREADY_COUNT_MAX && unready > UNREADY_PART_MAX * input.nodes.length) {
    const because = `${unready} of ${input.nodes.length} nodes are unready`;
    // Timers begin anew once the cluster is well.
    return {
      decisions: [...settled.decisions, { kind: 'halt', because }],
      state: { ...settled.state, unneeded: [] },
    };
  }
  const abandoned = (group: NodeGroup) =>
    settled.decisions.reduce(
      (sum, one) => sum + (one.kind === 'abandon' && one.group === group.name ? one.nodes : 0),
      0,
    );
  const groups = input.groups.map((group) => ({ ...group, targetNodes: group.targetNodes - abandoned(group) }));
  const grown = grow({ ...input, groups, state: settled.state });
  const next = grown.decision === null ? shrink({ ...input, groups, state: settled.state }, grown.mayShrink) : null;
  return {
    decisions: [...settled.decisions, ...(grown.decision ? [grown.decision] : []), ...(next?.decisions ?? [])],
    state: next?.state ?? grown.state,
  };
}

/** Not ready yet, as opposed to not ready any more. */
function isOnItsWay(node: AutoscaledNode, { nowUs, settings }: Pick<AutoscalerInput, 'nowUs' | 'settings'>): boolean {
  return !node.ready && node.createdAtUs + settings.maxNodeProvisionUs > nowUs;
}

/** Nodes that were asked for and cannot take pods yet. */
function upcoming(group: NodeGroup, input: Pick<AutoscalerInput, 'nodes' | 'nowUs' | 'settings'>): number {
  const here = input.nodes.filter((node) => node.group === group.name && !isOnItsWay(node, input));
  return Math.max(group.targetNodes - here.length, 0);
}

function settleRequests(input: AutoscalerInput): AutoscalerOutcome {
  const { nowUs, groups, nodes, state, settings } = input;
  const decisions: AutoscalerDecision[] = [];
  const requests: AutoscalerState['requests'][number][] = [];
  let backOffs = state.backOffs.filter(({ failedAtUs }) => failedAtUs + BACK_OFF_RESET_US >= nowUs);
  for (const request of state.requests) {
    const group = groups.find(({ name }) => name === request.group);
    const missing = group ? upcoming(group, input) : 0;
    if (missing === 0) {
      backOffs = backOffs.filter((backOff) => backOff.group !== request.group);
    } else if (request.dueUs < nowUs) {
      // Those that registered in time are kept, ready or not; those that never showed up are given back.
      const registered = nodes.filter((node) => node.group === request.group).length;
      const lost = Math.max(group!.targetNodes - Math.max(registered, group!.minNodes), 0);
      const because = `${request.group}: ${missing} nodes did not come within ${settings.maxNodeProvisionUs / MINUTE_US} min`;
      if (lost > 0) decisions.push({ kind: 'abandon', group: request.group, nodes: lost, because });
      backOffs = [...backOffs.filter(({ group: other }) => other !== request.group), backOffAfter(request.group)];
    } else {
      requests.push(request);
    }
  }
  return { decisions, state: { ...state, requests, backOffs } };

  function backOffAfter(name: string) {
    const last = backOffs.find(({ group }) => group === name);
    // A group asks for nothing while it backs off, so a second failure always comes after the first back-off.
    const lengthUs = last ? Math.min(2 * last.lengthUs, BACK_OFF_MAX_US) : BACK_OFF_MIN_US;
    return { group: name, lengthUs, untilUs: nowUs + lengthUs, failedAtUs: nowUs };
  }
}

function grow(input: AutoscalerInput): {
  readonly decision: AutoscalerDecision | null;
  readonly mayShrink: boolean;
  readonly state: AutoscalerState;
} {
  const { nowUs, groups, state } = input;
  const nothing = { decision: null, mayShrink: true, state };
  const pods = withoutPlace(input);
  if (pods.length === 0) return nothing;
  if (pods.every(({ createdAtUs }) => createdAtUs + POD_BATCH_US > nowUs)) return { ...nothing, mayShrink: false };
  const open = groups.filter(
    ({ name, targetNodes, maxNodes }) =>
      targetNodes < maxNodes && !state.backOffs.some(({ group, untilUs }) => group === name && untilUs > nowUs),
  );
  const best = bestExpansion(open, pods, input.expander, input.draw);
  if (best === null) return nothing;
  const nodes = Math.min(best.nodes, best.group.maxNodes - best.group.targetNodes);
  const { name } = best.group;
  const request = { group: name, dueUs: nowUs + input.settings.maxNodeProvisionUs };
  return {
    decision: { kind: 'add', group: name, nodes, because: `${best.helped.length} pending pods fit ${name}` },
    mayShrink: false,
    state: {
      ...state,
      // More nodes for a group give all of them the full time.
      requests: [...state.requests.filter(({ group }) => group !== name), request],
      grewAtUs: nowUs,
    },
  };
}

/** Pending pods that neither a node nor one on its way has room for. */
function withoutPlace(input: AutoscalerInput): WaitingPod[] {
  const { groups, nodes, pending } = input;
  const places = nodes
    .filter(({ ready, deleting }) => ready && deleting === null)
    .map(({ group, allocatable, podSlots, pods }) => ({ group, room: roomOf(allocatable, podSlots, pods) }));
  for (const group of groups) {
    const count = upcoming(group, input);
    for (let n = 0; n < count; n++) places.push({ group: group.name, room: emptyNode(group) });
  }
  return pending.filter((pod) => {
    const place = places.find(({ group, room }) => suits(pod.groups, group) && fits(room, pod));
    if (place) occupy(place.room, pod);
    return !place;
  });
}

function suits(groups: readonly string[], group: string | null): boolean {
  return group === null || groups.includes(group);
}

function shrink(input: AutoscalerInput, mayShrink: boolean): AutoscalerOutcome {
  const { nowUs, state, settings } = input;
  const looked = findUnneeded(input);
  const next: AutoscalerState = { ...state, unneeded: looked.unneeded, unremovable: looked.unremovable };
  const waits = (sinceUs: number | null, delayUs: number) => sinceUs !== null && sinceUs + delayUs > nowUs;
  if (
    !mayShrink ||
    waits(state.grewAtUs, settings.delayAfterAddUs) ||
    waits(state.failedAtUs, settings.delayAfterFailureUs)
  ) {
    return { decisions: [], state: next };
  }
  return { decisions: removals(input, looked.unneeded, looked.drained), state: next };
}

/** Nodes whose pods would find room on the others, one after the other, each leaving its pods there. */
function findUnneeded(input: AutoscalerInput) {
  const { nowUs, nodes, state, settings } = input;
  const since = new Map(state.unneeded.map(({ node, sinceUs }) => [node, sinceUs]));
  const unremovable = state.unremovable.filter(({ untilUs }) => untilUs > nowUs);
  const staying = nodes.filter(({ deleting }) => deleting === null);
  const candidates = staying
    .filter((node) => node.group !== null && !node.scaleDownDisabled && !isOnItsWay(node, input))
    .filter((node) => !unremovable.some((one) => one.node === node.name))
    .filter((node) => utilization(node) < settings.utilizationThreshold)
    .sort(
      (a, b) =>
        Number(since.has(b.name)) - Number(since.has(a.name)) ||
        Number(moving(b).length === 0) - Number(moving(a).length === 0) ||
        (a.name < b.name ? -1 : 1),
    );
  let places: Place[] = staying
    .filter(({ ready }) => ready)
    .map((node) => ({ ...node, room: roomOf(node.allocatable, node.podSlots, node.pods), guests: [] }));
  const unneeded: AutoscalerState['unneeded'][number][] = [];
  const drained = new Set<string>();
  for (const node of candidates) {
    // Pods that came from a node before it would have to move on.
    const guests = places.find(({ name }) => name === node.name)?.guests ?? [];
    const pods = [...moving(node), ...guests];
    const moved = place(
      pods,
      places.filter(({ name }) => name !== node.name),
    );
    if (moved) {
      places = moved;
      unneeded.push({ node: node.name, sinceUs: since.get(node.name) ?? nowUs });
      if (pods.length > 0) drained.add(node.name);
    } else {
      unremovable.push({ node: node.name, untilUs: nowUs + UNREMOVABLE_RECHECK_US });
    }
  }
  return { unneeded, unremovable, drained };
}

/** The larger part of the node that is asked for, DaemonSets included. */
export function utilization({ allocatable, pods }: Pick<AutoscaledNode, 'allocatable' | 'pods'>): number {
  const free = roomOf(allocatable, 0, pods);
  const used = (whole: number, left: number) => (whole - left) / whole;
  return Math.max(used(allocatable.cpuMillicores, free.cpuMillicores), used(allocatable.memoryBytes, free.memoryBytes));
}

function moving({ pods }: AutoscaledNode): readonly AutoscaledPod[] {
  return pods.filter(({ daemon }) => !daemon);
}

interface Place {
  readonly name: string;
  readonly group: string | null;
  readonly room: Room;
  readonly guests: AutoscaledPod[];
}

/** The places with the pods on them; null where one pod finds none. */
function place(pods: readonly AutoscaledPod[], places: readonly Place[]): Place[] | null {
  const tried = places.map((one) => ({ ...one, room: { ...one.room }, guests: [...one.guests] }));
  for (const pod of pods) {
    const found = pod.movable && tried.find(({ group, room }) => suits(pod.groups, group) && fits(room, pod));
    if (!found) return null;
    occupy(found.room, pod);
    found.guests.push(pod);
  }
  return tried;
}

function removals(
  { nowUs, groups, nodes, settings }: AutoscalerInput,
  unneeded: AutoscalerState['unneeded'],
  drained: ReadonlySet<string>,
): AutoscalerDecision[] {
  const leaving = nodes.filter(({ deleting }) => deleting !== null);
  let budget = PARALLEL_REMOVALS_MAX - leaving.length;
  let drains = PARALLEL_DRAINS_MAX - leaving.filter(({ deleting }) => deleting === 'drain').length;
  const spare = new Map(
    groups.map(({ name, targetNodes, minNodes }) => [
      name,
      targetNodes - leaving.filter(({ group }) => group === name).length - minNodes,
    ]),
  );
  const due = unneeded.flatMap(({ node: name, sinceUs }) => {
    const node = nodes.find((one) => one.name === name)!;
    const afterUs = node.ready ? settings.unneededReadyUs : settings.unneededUnreadyUs;
    return sinceUs + afterUs < nowUs ? [{ node, drain: drained.has(name), sinceUs }] : [];
  });
  const decisions: AutoscalerDecision[] = [];
  // Empty nodes first: nobody is disturbed.
  for (const { node, drain, sinceUs } of due.sort((a, b) => Number(a.drain) - Number(b.drain))) {
    const left = spare.get(node.group!) ?? 0;
    if (left <= 0) continue;
    // Counted for nodes that must wait as well, as there.
    spare.set(node.group!, left - 1);
    if (budget <= 0 || (drain && drains <= 0)) continue;
    budget--;
    if (drain) drains--;
    const because = `unneeded for ${Math.floor((nowUs - sinceUs) / SECOND_US)} s`;
    decisions.push({ kind: 'remove', node: node.name, drain, because });
  }
  return decisions;
}
