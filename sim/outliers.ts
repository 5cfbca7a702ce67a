/**
 * Outlier detection in the run: outcomes go into the detector (sim/mesh/outlierState.ts) of the calling proxy; an
 * ejection or a return gives that proxy a route of its own, without the ejected pods. Sweeps are events, and only while
 * one could change something: they fall on the detector's fixed ticks, which start at another moment in every proxy.
 */
import { CODE, freeRecord, KEY, POD, takeRecord, WORDS } from './kernel/records.js';
import { insert } from './kernel/wheel.js';
import {
  countOutcome,
  eject,
  forgetPair,
  needsSweep,
  OUTCOME_5XX,
  OUTCOME_GATEWAY,
  OUTCOME_LOCAL,
  OUTCOME_SUCCESS,
  sweep,
  type OutlierState,
} from './mesh/outlierState.js';
import { GOLDEN, mix, TWO_TO_MINUS_32 } from './random.js';
import { writeOwnRoute } from './routes.js';
import { CAUSE_APP_500, CAUSE_APP_503, EVENT_SWEEP } from './spans.js';
import type { World } from './world.js';

/** `cause` is 0 for a success; a request that never left the proxy is no outcome and does not come here. */
export function noteOutcome(world: World, edge: number, connection: number, cause: number, nowUs: number): void {
  const state = world.outliers[edge]!;
  const pair = connection - world.connectionBase[edge]!;
  if (!countOutcome(state, pair, outcomeOf(cause))) return;
  const caller = Math.floor(pair / state.capacity);
  const hosts = world.routeInputs[world.program.edgeDestination[edge]!]!.hostCount;
  if (!eject(state, caller, pair, hosts, nowUs)) return;
  world.counters.whole.ejections++;
  renewRoute(world, edge, caller);
  armSweep(world, state, edge, caller, nowUs);
}

function outcomeOf(cause: number): number {
  if (cause === 0) return OUTCOME_SUCCESS;
  if (cause === CAUSE_APP_500) return OUTCOME_5XX;
  return cause === CAUSE_APP_503 ? OUTCOME_GATEWAY : OUTCOME_LOCAL;
}

/** The event of a sweep. */
export function sweepEvent(world: World, words: Int32Array, id: number, nowUs: number): void {
  const edge = words[id * WORDS + POD]!;
  const caller = words[id * WORDS + KEY]!;
  const state = world.outliers[edge]!;
  freeRecord(world.records, id);
  world.sweepArmed[world.rotationBase[edge]! + caller] = 0;
  if (sweep(state, caller, nowUs)) renewRoute(world, edge, caller);
  if (needsSweep(state, caller)) armSweep(world, state, edge, caller, nowUs);
}

/** After a change of endpoints: pods that are gone are forgotten, and own routes follow the new list. */
export function refreshOutliers(world: World, service: number): void {
  const input = world.routeInputs[service]!;
  const present = new Set(input.endpoints.map((endpoint) => endpoint.index));
  for (let edge = 0; edge < world.program.edgeCount; edge++) {
    if (world.program.edgeDestination[edge] !== service) continue;
    const state = world.outliers[edge];
    if (!state) continue;
    const base = world.podBase[service]!;
    for (let caller = 0; caller < state.ejectedCount.length; caller++) {
      for (let i = 0; i < state.capacity; i++)
        if (!present.has(base + i)) forgetPair(state, caller, caller * state.capacity + i);
      renewRoute(world, edge, caller);
    }
  }
}

/** A caller's slot goes to a new pod: its proxy starts without memory. */
export function forgetCaller(world: World, slot: number): void {
  const service = world.podService[slot]!;
  for (let edge = 0; edge < world.program.edgeCount; edge++) {
    const state = world.outliers[edge];
    if (!state || world.program.edgeSource[edge] !== service) continue;
    const caller = slot - world.podBase[service]!;
    for (let i = 0; i < state.capacity; i++) forgetPair(state, caller, caller * state.capacity + i);
    renewRoute(world, edge, caller);
  }
}

function renewRoute(world: World, edge: number, caller: number): void {
  const state = world.outliers[edge]!;
  const row = world.rotationBase[edge]! + caller;
  if (state.ejectedCount[caller] === 0) {
    if (world.ownRoutes[row] !== null) world.ownRouteCount--;
    world.ownRoutes[row] = null;
    return;
  }
  if (world.ownRoutes[row] === null) world.ownRouteCount++;
  world.ownRoutes[row] = writeOwnRoute(world, edge, caller, state);
}

function armSweep(world: World, state: OutlierState, edge: number, caller: number, nowUs: number): void {
  const row = world.rotationBase[edge]! + caller;
  if (world.sweepArmed[row] === 1) return;
  world.sweepArmed[row] = 1;
  const { intervalUs } = state.policy;
  const phaseUs = Math.floor((mix(world.seed + Math.imul(row + 1, GOLDEN)) >>> 0) * TWO_TO_MINUS_32 * intervalUs);
  const tick = Math.floor((nowUs - phaseUs) / intervalUs) + 1;
  const id = takeRecord(world.records);
  world.records.words[id * WORDS + CODE] = EVENT_SWEEP;
  world.records.words[id * WORDS + POD] = edge;
  world.records.words[id * WORDS + KEY] = caller;
  insert(world.queue, world.records.words, id, phaseUs + tick * intervalUs);
}
