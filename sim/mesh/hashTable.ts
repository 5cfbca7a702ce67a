/**
 * Consistent hashing (SEMANTICS A12): which host owns which hash. The same hash goes to the same host for as long as that
 * host is there, and a host that leaves takes only its own hashes with it.
 *
 * Ring (Envoy's `ring_hash`): every host throws darts onto a circle of 2^32 points; a hash belongs to the next dart
 * clockwise. The number of darts follows the weights, and the smallest host gets a whole number of them, so that equal
 * hosts have equally many: 1,024 over 3 hosts are 342 each.
 *
 * Maglev (Eisenbud and others, NSDI 2016, section 3.4): each host has its own order of the slots of a table; they take
 * turns, and each takes its next slot that is free. Shares are within about one slot a round of equal.
 */
import { GOLDEN, mix } from '../random.js';

/** Envoy's largest ring. */
const MAX_RING_SIZE = 8 * 1024 * 1024;

export interface HashTable {
  /** Ring: dart positions, ascending, unsigned. Empty for Maglev, where `owners` is the table. */
  readonly darts: Uint32Array;
  /** Host by dart, or by slot. */
  readonly owners: Int32Array;
}

export interface HashedHost {
  readonly host: number;
  /** What its place is drawn from: a word that stays the pod's own. */
  readonly identity: number;
  /** Above 0. */
  readonly weight: number;
}

export function ringTable(hosts: readonly HashedHost[], minimumSize: number): HashTable {
  const total = hosts.reduce((sum, { weight }) => sum + weight, 0);
  const smallest = Math.min(...hosts.map(({ weight }) => weight / total));
  const scale = Math.min(Math.ceil(smallest * minimumSize) / smallest, MAX_RING_SIZE);
  const darts: { at: number; host: number }[] = [];
  let target = 0;
  for (const { host, identity, weight } of hosts) {
    target += (scale * weight) / total;
    for (let i = 0; darts.length < target - ROUNDING; i++) darts.push({ at: dartAt(identity, i), host });
  }
  darts.sort((a, b) => a.at - b.at || a.host - b.host);
  return { darts: Uint32Array.from(darts, ({ at }) => at), owners: Int32Array.from(darts, ({ host }) => host) };
}

/** Sums of equal shares may miss a whole number by the last bits; a dart more would be one host's alone. */
const ROUNDING = 1e-6;

/** `size` is a prime above the number of hosts. */
export function maglevTable(hosts: readonly HashedHost[], size: number): HashTable {
  const owners = new Int32Array(size).fill(-1);
  const largest = Math.max(...hosts.map(({ weight }) => weight));
  const seats = hosts.map(({ host, identity, weight }) => {
    const offset = (dartAt(identity, 0) % size) | 0;
    return { host, share: weight / largest, turns: 0, next: offset, skip: (dartAt(identity, 1) % (size - 1)) + 1 };
  });
  let filled = 0;
  for (let round = 1; filled < size; round++) {
    for (const seat of seats) {
      // A host of half the weight sits out every other round.
      if (filled === size || round * seat.share < seat.turns) continue;
      seat.turns += 1;
      while (owners[seat.next]! >= 0) seat.next = (seat.next + seat.skip) % size;
      owners[seat.next] = seat.host;
      filled++;
    }
  }
  return { darts: new Uint32Array(0), owners };
}

/** The owner of a hash (any 32-bit word). */
export function ownerOf(table: HashTable, word: number): number {
  const { darts, owners } = table;
  const hash = word >>> 0;
  if (darts.length === 0) return owners[hash % owners.length]!;
  let low = 0;
  let high = darts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (darts[middle]! < hash) low = middle + 1;
    else high = middle;
  }
  return owners[low === darts.length ? 0 : low]!;
}

function dartAt(identity: number, number: number): number {
  return mix(mix(identity) + Math.imul(number + 1, GOLDEN)) >>> 0;
}
