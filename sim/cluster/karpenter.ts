/**
 * Which nodes Karpenter gives up, one look of its disruption loop: empty ones first; else the most nodes it can give up
 * together with at most one cheaper node in their place; else a single node. What it finds it looks at again 15 s later,
 * and carries out only if it still holds. Pure: the command that waits comes in and goes out.
 *
 * Nodes are asked in order of what moving their pods costs. A pool's budget caps how many go at a time, those that are not
 * ready or on their way out included, rounded up: 10 % of 3 nodes is 1.
 *
 * Source: karpenter's pkg/controllers/disruption (controller, emptiness, multinodeconsolidation, singlenodeconsolidation,
 * consolidation, validation, helpers) and pkg/apis/v1/nodepool.go. Not modelled: drift, budget schedules, the Balanced
 * policy, time-outs of the search, and turns between pools in the single-node search.
 */
import {
  cheapestFirst,
  packPods,
  type Bin,
  type Offering,
  type PackingPod,
  type PackingPool,
  type Packing,
} from './karpenterPacking.js';
import { roomOf, type Amounts } from './nodeRoom.js';

export interface KarpenterPool extends PackingPool {
  readonly policy: 'WhenEmpty' | 'WhenEmptyOrUnderutilized';
  /** How long after its last pod came or went a node may be given up; null: never. */
  readonly consolidateAfterUs: number | null;
  readonly budget: { readonly percent: number } | { readonly nodes: number };
}

export interface KarpenterPod extends PackingPod {
  /** Stays with its node and goes with it. */
  readonly daemon: boolean;
  /** No disruption budget and no do-not-disrupt annotation holds it. */
  readonly movable: boolean;
  /** 1 for a plain pod; priority and deletion cost move it. */
  readonly evictionCost: number;
}

export interface KarpenterNode {
  readonly name: string;
  /** Null: not Karpenter's. */
  readonly pool: string | null;
  readonly instanceType: string;
  readonly capacityType: 'on-demand' | 'spot';
  readonly priceUsdPerHour: number;
  readonly allocatable: Amounts;
  readonly capacity?: Amounts;
  readonly zone?: string;
  readonly podSlots: number;
  readonly pods: readonly KarpenterPod[];
  readonly initialized: boolean;
  readonly ready: boolean;
  readonly deleting: boolean;
  /** A pending pod is meant for it. */
  readonly nominated: boolean;
  readonly doNotDisrupt: boolean;
  /** When a pod was last bound to it or left it; when it was initialised, before any. */
  readonly lastPodEventUs: number;
}

type Method = 'empty' | 'multi-node' | 'single-node';

export interface DisruptionCommand {
  readonly method: Method;
  readonly nodes: readonly string[];
  /** Bought and ready before the nodes go; null: none is needed. */
  readonly replacement: Pick<Bin, 'pool' | 'options' | 'zones'> | null;
}

export interface DisruptionInput {
  readonly nowUs: number;
  readonly nodes: readonly KarpenterNode[];
  readonly pools: readonly KarpenterPool[];
  readonly pending: readonly PackingPod[];
  /** The feature gate SpotToSpotConsolidation. */
  readonly spotToSpot: boolean;
  readonly state: DisruptionState;
}

export interface DisruptionState {
  readonly waiting: { readonly command: DisruptionCommand; readonly dueUs: number } | null;
}

export interface DisruptionOutcome {
  /** To be carried out now. */
  readonly command: DisruptionCommand | null;
  readonly state: DisruptionState;
  /** When to look next; now, where a command was given: mark its nodes as deleting before. */
  readonly nextUs: number;
}

const POLLING_PERIOD_US = 10_000_000;
/** Pods come and go: what still holds after this is worth doing. */
const VALIDATION_US = 15_000_000;
/** Simulations get dear beyond. */
const MULTI_NODE_MAX = 100;
/** With fewer cheaper types to choose from, spot would move again and again towards the cheapest, least available. */
const SPOT_TYPES_MIN = 15;
const METHODS: readonly Method[] = ['empty', 'multi-node', 'single-node'];

export function disruptNodes(input: DisruptionInput): DisruptionOutcome {
  const { nowUs, state } = input;
  let methods = METHODS;
  if (state.waiting !== null) {
    if (nowUs < state.waiting.dueUs) return { command: null, state, nextUs: state.waiting.dueUs };
    const command = validate(input, state.waiting.command);
    if (command) return { command, state: { waiting: null }, nextUs: nowUs };
    // What did not hold is dropped, and the loop goes on with the next method.
    methods = METHODS.slice(METHODS.indexOf(state.waiting.command.method) + 1);
  }
  for (const method of methods) {
    const command = SEARCHES[method](input);
    if (command === null) continue;
    const dueUs = nowUs + VALIDATION_US;
    return { command: null, state: { waiting: { command, dueUs } }, nextUs: dueUs };
  }
  return { command: null, state: { waiting: null }, nextUs: nowUs + POLLING_PERIOD_US };
}

const SEARCHES: Readonly<Record<Method, (input: DisruptionInput) => DisruptionCommand | null>> = {
  empty(input) {
    const nodes = withinBudgets(input, candidatesOf(input, 'empty'));
    return nodes.length > 0 ? { method: 'empty', nodes: namesOf(nodes), replacement: null } : null;
  },

  /** The longest run of candidates from the cheapest to move that works, by halving: not all lengths are tried. */
  'multi-node'(input) {
    const candidates = withinBudgets(input, candidatesOf(input, 'multi-node'));
    let best: DisruptionCommand | null = null;
    let [least, most] = [2, Math.min(candidates.length, MULTI_NODE_MAX + 1)];
    while (least <= most) {
      // In halves of the index of the last one, as there.
      const count = Math.floor((least + most - 2) / 2) + 1;
      const found = consolidate(input, 'multi-node', candidates.slice(0, count));
      if (found) [best, least] = [found, count + 1];
      else most = count - 1;
    }
    return best;
  },

  'single-node'(input) {
    for (const node of candidatesOf(input, 'single-node')) {
      if (withinBudgets(input, [node]).length === 0) continue;
      const found = consolidate(input, 'single-node', [node]);
      if (found) return found;
    }
    return null;
  },
};

/** Nodes the method may give up, the cheapest to move first. */
function candidatesOf({ nowUs, nodes, pools }: DisruptionInput, method: Method): KarpenterNode[] {
  const mayGo = (node: KarpenterNode): boolean => {
    const pool = pools.find(({ name }) => name === node.pool);
    if (!pool || pool.consolidateAfterUs === null || !node.initialized) return false;
    if (node.deleting || node.nominated || node.doNotDisrupt) return false;
    if (nowUs - node.lastPodEventUs < pool.consolidateAfterUs) return false;
    const moving = movingPods(node);
    if (method === 'empty') return moving.length === 0;
    return pool.policy === 'WhenEmptyOrUnderutilized' && moving.length > 0 && moving.every(({ movable }) => movable);
  };
  const cost = (node: KarpenterNode) => movingPods(node).reduce((sum, { evictionCost }) => sum + evictionCost, 0);
  return nodes.filter(mayGo).sort((a, b) => cost(a) - cost(b) || (a.name < b.name ? -1 : 1));
}

function movingPods({ pods }: KarpenterNode): readonly KarpenterPod[] {
  return pods.filter(({ daemon }) => !daemon);
}

function namesOf(nodes: readonly KarpenterNode[]): string[] {
  return nodes.map(({ name }) => name);
}

/** Those that the budgets of their pools leave room for, in order. */
function withinBudgets(input: DisruptionInput, candidates: readonly KarpenterNode[]): KarpenterNode[] {
  const left = new Map(input.pools.map((pool) => [pool.name, disruptionsAllowed(pool, input.nodes)]));
  return candidates.filter(({ pool }) => {
    const room = left.get(pool!) ?? 0;
    left.set(pool!, room - 1);
    return room > 0;
  });
}

/** How many more nodes of the pool may go now. */
export function disruptionsAllowed(pool: KarpenterPool, nodes: readonly KarpenterNode[]): number {
  const own = nodes.filter((node) => node.pool === pool.name && node.initialized);
  const { budget } = pool;
  const allowed = 'percent' in budget ? Math.ceil((budget.percent * own.length) / 100) : budget.nodes;
  return Math.max(allowed - own.filter(({ ready, deleting }) => !ready || deleting).length, 0);
}

function consolidate(
  input: DisruptionInput,
  method: 'multi-node' | 'single-node',
  candidates: readonly KarpenterNode[],
): DisruptionCommand | null {
  const packing = withoutNodes(input, candidates);
  if (packing === null || packing.bins.length > 1) return null;
  const command = { method, nodes: namesOf(candidates) };
  const [bin] = packing.bins;
  if (!bin) return { ...command, replacement: null };
  const price = candidates.reduce((sum, { priceUsdPerHour }) => sum + priceUsdPerHour, 0);
  let options = cheaper(bin.options, price);
  const isSpot = ({ capacityType }: { readonly capacityType: string }) => capacityType === 'spot';
  if (candidates.every(isSpot) && bin.options.some(isSpot)) {
    if (!input.spotToSpot) return null;
    options = options.filter(isSpot);
    if (method === 'single-node') options = options.length < SPOT_TYPES_MIN ? [] : options.slice(0, SPOT_TYPES_MIN);
  } else if (options.some(isSpot)) {
    // Were spot to run out, an on-demand node could be dearer than what is there.
    options = options.filter(isSpot);
  }
  if (method === 'multi-node') options = withoutSameType(options, candidates);
  return options.length > 0 ? { ...command, replacement: { pool: bin.pool, options, zones: bin.zones } } : null;
}

function cheaper(options: readonly Offering[], priceUsdPerHour: number): Offering[] {
  return options.filter((option) => option.priceUsdPerHour < priceUsdPerHour).sort(cheapestFirst);
}

/** Replacing nodes by one of a type among them is the same as keeping that one: only what is cheaper still counts. */
function withoutSameType(options: readonly Offering[], candidates: readonly KarpenterNode[]): Offering[] {
  const kept = candidates.filter(({ instanceType }) => options.some((option) => option.instanceType === instanceType));
  return cheaper(options, Math.min(...kept.map(({ priceUsdPerHour }) => priceUsdPerHour)));
}

/** Where everything goes without the candidates; null where one of their pods cannot, or only to a node not yet up. */
function withoutNodes(
  { nodes, pools, pending }: DisruptionInput,
  candidates: readonly KarpenterNode[],
): Packing | null {
  const staying = nodes.filter((node) => !node.deleting && !candidates.includes(node));
  const leaving = nodes.filter(({ deleting }) => deleting).flatMap(movingPods);
  const moving = candidates.flatMap(movingPods);
  const places = staying.map((node) => ({ ...node, room: roomOf(node.allocatable, node.podSlots, node.pods) }));
  const packing = packPods([...pending, ...leaving, ...moving], places, pools);
  const waits = new Set(pending.map(({ name }) => name));
  if (packing.unplaced.some(({ name }) => !waits.has(name))) return null;
  return moving.some(({ name }) => packing.placed.get(name)?.initialized === false) ? null : packing;
}

/** The command as it may be carried out now; null where it no longer holds. */
function validate(input: DisruptionInput, command: DisruptionCommand): DisruptionCommand | null {
  const current = candidatesOf(input, command.method).filter(({ name }) => command.nodes.includes(name));
  const nodes = withinBudgets(input, current);
  // Of empty nodes those that still are may go; the others stand or fall together.
  if (command.method === 'empty') return nodes.length > 0 ? { ...command, nodes: namesOf(nodes) } : null;
  if (nodes.length < command.nodes.length) return null;
  const packing = withoutNodes(input, nodes);
  if (packing === null || packing.bins.length !== (command.replacement === null ? 0 : 1)) return null;
  const now = packing.bins[0]?.options ?? [];
  const stillHolds = command.replacement?.options.every((option) =>
    now.some((one) => one.instanceType === option.instanceType && one.capacityType === option.capacityType),
  );
  return stillHolds === false ? null : command;
}
