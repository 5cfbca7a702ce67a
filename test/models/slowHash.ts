/** Slow twins of sim/mesh/hashTable.ts: the circle searched dart by dart, and Maglev's orders written out in full. */
import type { HashedHost } from '../../sim/mesh/hashTable.js';
import { GOLDEN, mix } from '../../sim/random.js';

const place = (identity: number, number: number): number => mix(mix(identity) + Math.imul(number + 1, GOLDEN)) >>> 0;

/** Owner by the smallest way clockwise to any dart of equal hosts. */
export function slowRingOwner(hosts: readonly HashedHost[], minimumSize: number, word: number): number {
  const each = Math.ceil(minimumSize / hosts.length);
  let best = { way: Infinity, host: -1 };
  for (const { host, identity } of hosts) {
    for (let i = 0; i < each; i++) {
      const way = (place(identity, i) - (word >>> 0) + 2 ** 32) % 2 ** 32;
      if (way < best.way || (way === best.way && host < best.host)) best = { way, host };
    }
  }
  return best.host;
}

/** The table of equal hosts: every host's order of slots as a list, from which it crosses out what is taken. */
export function slowMaglev(hosts: readonly HashedHost[], size: number): number[] {
  const orders = hosts.map(({ identity }) => {
    const [offset, skip] = [place(identity, 0) % size, (place(identity, 1) % (size - 1)) + 1];
    return Array.from({ length: size }, (_, j) => (offset + j * skip) % size);
  });
  const table = new Array<number>(size).fill(-1);
  for (let turn = 0; turn < size; turn++) {
    const order = orders[turn % hosts.length]!;
    table[order.find((slot) => table[slot] === -1)!] = hosts[turn % hosts.length]!.host;
  }
  return table;
}
