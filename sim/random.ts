/**
 * All chance of a run comes from here. Common random numbers need keys, not order: a demand belongs to (seed, load,
 * request number, path of the span in the call graph, step), so it stays the same when routing or scaling changes the
 * order in which spans start. A key is one 32-bit word; `mix` turns a key and a step into the next key or the draw itself.
 *
 * `mix` is the finaliser of MurmurHash3 (Appleby, public domain constants): a bijection of 32-bit words in which every
 * input bit flips every output bit with probability near one half. Two different spans of one request may share a key
 * by chance (1 in 4 billion); two requests of one load never share theirs, as each step is a bijection.
 *
 * Streams (arrivals, one per load) are sfc32 generators whose state is filled by seedrandom from a string, so that a
 * stream depends on the root seed and its own label alone, never on the order in which streams are opened.
 */
import seedrandom from 'seedrandom';

export const CAUSE_DEMAND = 0x1b873593;
export const CAUSE_CALL = 0x2545f491;
export const CAUSE_PICK = 0x3c6ef372;
export const CAUSE_HOP_THERE = 0x510e527f;
export const CAUSE_HOP_BACK = 0x5be0cd19;
export const CAUSE_ZONE = 0x6a09e667;
export const CAUSE_GATEWAY = 0x7f4a7c15;
export const CAUSE_PRIORITY = 0x1f83d9ab;
export const CAUSE_DRAW_DELAY = 0x428a2f98;
export const CAUSE_DRAW_ABORT = 0x71374491;
export const CAUSE_DRAW_LOSS = 0x35c0fbcf;
export const CAUSE_DRAW_RETRY = 0x69b5dba5;
export const CAUSE_DRAW_ROUTE = 0x3956c25b;
export const CAUSE_DRAW_ERROR = 0x59f111f1;
export const CAUSE_DRAW_MIRROR = 0xd807aa98;
export const CAUSE_DRAW_USER = 0x923f82a4;
export const CAUSE_DRAW_ZONE = 0x3c83709;
export const CAUSE_DRAW_PROXY = 0x123f82a4;
export const CAUSE_DRAW_MESSAGE = 0x27b70a85;

/** Scales a 32-bit word to [0, 1). */
export const TWO_TO_MINUS_32 = 1 / 4294967296;

/** A bijection of 32-bit words that scatters `word`; the result is signed. */
export function mix(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The key of request `number` of the load whose two seed words are given. */
export function requestKey(seedA: number, seedB: number, number: number): number {
  return mix(mix((number + seedA) | 0) ^ seedB);
}

/** Spreads small numbers (step positions, repeat counts) over the word before they are added to a key. */
export const GOLDEN = 0x9e3779b1;

/** A 32-bit seed word for a named part of the run. */
export function seedWord(rootSeed: number, label: string): number {
  return seedrandom(`${rootSeed}/${label}`).int32();
}

/** sfc32 (Doty-Humphrey): four 32-bit words of state, period about 2^128; the one used for streams. */
export interface Stream {
  a: number;
  b: number;
  c: number;
  counter: number;
}

export function openStream(rootSeed: number, label: string): Stream {
  const fill = seedrandom(`${rootSeed}/${label}`);
  const stream = { a: fill.int32(), b: fill.int32(), c: fill.int32(), counter: 1 };
  for (let i = 0; i < 12; i++) nextWord(stream);
  return stream;
}

/** The next 32-bit word of a stream, unsigned. */
export function nextWord(stream: Stream): number {
  const t = (((stream.a + stream.b) | 0) + stream.counter) | 0;
  stream.counter = (stream.counter + 1) | 0;
  stream.a = stream.b ^ (stream.b >>> 9);
  stream.b = (stream.c + (stream.c << 3)) | 0;
  stream.c = (((stream.c << 21) | (stream.c >>> 11)) + t) | 0;
  return t >>> 0;
}
