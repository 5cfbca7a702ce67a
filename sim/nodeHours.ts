/**
 * How long machines existed. A cloud bills from the moment that the machine runs until it is ended; here that is from the
 * request (the machine runs some seconds later, and boots most of the time until it is ready) until it is given back. A
 * machine that never came is not billed.
 */
import type { SimNode } from './control/state.js';

/** Between `fromUs` and `toUs`; for a node of a fixed cluster exactly all of it. */
export function billedUs(node: SimNode, fromUs: number, toUs: number): number {
  if (node.registeredUs === null && node.phase === 'gone') return 0;
  return Math.max(0, Math.min(toUs, node.goneUs ?? toUs) - Math.max(fromUs, node.requestedUs));
}
