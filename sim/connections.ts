/**
 * Long-lived connections without a mesh (SEMANTICS B14): kube-proxy chooses a pod when a connection is opened, at random,
 * and every request on it goes there. So a gRPC client with one connection loads one pod, however many there are, until
 * the connection is closed: by its pod's end, by a failure, or by age (gRPC's MAX_CONNECTION_AGE, with its 10 % either way).
 */
import { CAUSE_PICK, GOLDEN, mix, TWO_TO_MINUS_32 } from './random.js';
import { POD_DEAD, POD_SERVING, type World } from './world.js';

export interface LongLived {
  readonly perCaller: number;
  /** Infinity: for as long as they hold. */
  readonly maxAgeUs: number;
  /** By caller slot x perCaller: the pod, whose connection it is (see `bond`), and when it is closed for age. */
  readonly pod: Int32Array;
  readonly bond: Int32Array;
  readonly closesUs: Float64Array;
  /** By caller slot: requests go round its connections. */
  readonly turn: Int32Array;
}

/** gRPC spreads the ages of connections by this much, so that they do not all close at once. */
const AGE_SPREAD = 0.1;

export function createLongLived(callers: number, perCaller: number, maxAgeUs: number | null): LongLived {
  return {
    perCaller,
    maxAgeUs: maxAgeUs ?? Infinity,
    pod: new Int32Array(callers * perCaller).fill(-1),
    bond: new Int32Array(callers * perCaller),
    closesUs: new Float64Array(callers * perCaller),
    turn: new Int32Array(callers),
  };
}

/** The pod of the connection whose turn it is, which is opened to one of `hosts[start .. start + count)` where needed. */
export function pickConnected(
  world: World,
  state: LongLived,
  caller: number,
  callerSlot: number,
  start: number,
  count: number,
  key: number,
  nowUs: number,
): number {
  const turn = state.turn[callerSlot]!;
  state.turn[callerSlot] = turn + 1 === state.perCaller ? 0 : turn + 1;
  const at = callerSlot * state.perCaller + turn;
  const held = state.pod[at]!;
  if (held >= 0 && nowUs < state.closesUs[at]! && state.bond[at] === bond(world, caller, held)) {
    const podState = world.podState[held]!;
    // A pod that shuts down closes its connections; one whose node is gone cannot.
    if (podState === POD_SERVING || podState === POD_DEAD) return held;
  }
  const word = mix(key ^ CAUSE_PICK);
  const pod = world.hosts[start + Math.floor((word >>> 0) * TWO_TO_MINUS_32 * count)]!;
  const spread = 1 + AGE_SPREAD * (2 * (mix(word + GOLDEN) >>> 0) * TWO_TO_MINUS_32 - 1);
  state.pod[at] = pod;
  state.bond[at] = bond(world, caller, pod);
  state.closesUs[at] = nowUs + state.maxAgeUs * spread;
  return pod;
}

/** A request has failed on the way: its caller closes what it holds to that pod. */
export function closeConnections(state: LongLived, callerSlot: number, pod: number): void {
  const from = callerSlot * state.perCaller;
  for (let at = from; at < from + state.perCaller; at++) if (state.pod[at] === pod) state.pod[at] = -1;
}

/** Differs as soon as another pod has taken one of the two slots. */
function bond(world: World, caller: number, pod: number): number {
  return world.podIdentity[caller]! ^ mix(world.podIdentity[pod]!);
}
