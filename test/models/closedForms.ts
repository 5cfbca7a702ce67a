/**
 * Queueing theory in a page: what a simulator of queues must reproduce (SEMANTICS part D). The unit of time is one mean
 * service; `rho` is the load per server. Sources: Kleinrock, Queueing Systems I (M/M/c, M/M/1/K, GI/M/1); Gross and
 * Harris (M/D/1, Erlang's formulas); Harchol-Balter, Performance Modeling (processor sharing, Jackson networks);
 * Mitzenmacher 2001 (power of d choices).
 */

export interface Queue {
  /** Mean response, mean wait, and by Little's law the mean numbers in the system and in the queue. */
  readonly response: number;
  readonly wait: number;
  readonly inSystem: number;
  readonly inQueue: number;
  /** The time that a share `p` of the responses, of the waits, does not exceed. */
  readonly responseQuantile: (p: number) => number;
  readonly waitQuantile: (p: number) => number;
}

export function mm1(rho: number): Queue {
  return mmc(1, rho);
}

/** Probability that all of c servers are busy when nobody may wait, and when everybody does; `load` is c x rho. */
export function erlangB(servers: number, load: number): number {
  let blocked = 1;
  for (let k = 1; k <= servers; k++) blocked = (load * blocked) / (k + load * blocked);
  return blocked;
}

export function erlangC(servers: number, load: number): number {
  const blocked = erlangB(servers, load);
  return blocked / (1 - (load / servers) * (1 - blocked));
}

export function mmc(servers: number, rho: number): Queue {
  const lambda = servers * rho;
  const waits = erlangC(servers, lambda);
  const drain = servers - lambda;
  const wait = waits / drain;
  // The response is a service plus, with probability C, an exponential wait; equal rates make their sum an Erlang-2.
  const above = (t: number): number => {
    const rest = Math.abs(drain - 1) < 1e-9 ? t : (1 - Math.exp(-(drain - 1) * t)) / (drain - 1);
    return Math.exp(-t) * (1 + waits * rest);
  };
  return {
    response: wait + 1,
    wait,
    inSystem: lambda * (wait + 1),
    inQueue: lambda * wait,
    responseQuantile: (p) => whereReaches((t) => 1 - above(t), p),
    waitQuantile: (p) => Math.max(0, Math.log(waits / (1 - p)) / drain),
  };
}

/** Probability that no server of an M/M/c works. */
export function idle(servers: number, rho: number): number {
  let [term, sum] = [1, 0];
  for (let n = 0; n < servers; n++) [sum, term] = [sum + term, (term * servers * rho) / (n + 1)];
  return 1 / (sum + term / (1 - rho));
}

/** One server and at most `size` requests, the one in service among them. Responses and waits are of those let in. */
export function mm1k(rho: number, size: number) {
  const weights = Array.from({ length: size + 1 }, (_, n) => rho ** n);
  const all = sum(weights);
  const [empty, lost] = [weights[0]! / all, weights[size]! / all];
  const inSystem = sum(weights.map((weight, n) => (n * weight) / all));
  const throughput = rho * (1 - lost);
  const response = inSystem / throughput;
  return { empty, lost, inSystem, throughput, response, wait: response - 1 };
}

/** Pollaczek-Khinchine: mean wait first come, first served, where `cs2` is the squared variation of the service. */
export function mg1Wait(rho: number, cs2: number): number {
  return (rho * (1 + cs2)) / (2 * (1 - rho));
}

/** Share of the waits of an M/D/1 that are at most t (Erlang 1909); good to about t = 20 in double precision. */
export function md1WaitBelow(rho: number, t: number): number {
  let [total, factorial] = [0, 1];
  for (let k = 0; k <= t; k++) {
    if (k > 0) factorial *= k;
    total += ((rho * (k - t)) ** k / factorial) * Math.exp(-rho * (k - t));
  }
  return (1 - rho) * total;
}

export function md1WaitQuantile(rho: number, p: number): number {
  return p <= 1 - rho ? 0 : whereReaches((t) => md1WaitBelow(rho, t), p);
}

/** Processor sharing: the mean response of a request of this size, whatever the law of the sizes. */
export function sharedResponse(rho: number, size = 1): number {
  return size / (1 - rho);
}

/**
 * Open Jackson network: nodes with arrivals from outside, one server of rate mu each, and the chance to go on from i to j.
 * The mean numbers are those of M/M/1 queues at the rates that the traffic equations give.
 */
export function jackson(nodes: readonly { gamma: number; mu: number; next: Readonly<Record<number, number>> }[]) {
  let rates = nodes.map(({ gamma }) => gamma);
  // Each round adds one more visit; the chance of a hundred rounds is nil.
  for (let round = 0; round < 200; round++)
    rates = nodes.map(({ gamma }, j) => gamma + sum(nodes.map(({ next }, i) => rates[i]! * (next[j] ?? 0))));
  const loads = rates.map((rate, i) => rate / nodes[i]!.mu);
  const inSystem = loads.map((rho) => rho / (1 - rho));
  return { rates, loads, inSystem, response: sum(inSystem) / sum(nodes.map(({ gamma }) => gamma)) };
}

/** d choices among infinitely many servers: the share of servers with at least i requests, and the mean response. */
export function powerOfChoices(rho: number, choices: number) {
  const atLeast = (i: number): number => rho ** (choices === 1 ? i : (choices ** i - 1) / (choices - 1));
  let total = 0;
  for (let i = 1; i < 100_000 && atLeast(i) > 1e-15; i++) total += atLeast(i);
  return { atLeast, response: total / rho };
}

/**
 * Mean response of two servers whose one dispatcher sends to the shorter queue with this probability: 3/4 where two
 * draws with replacement meet different servers half the time, 1 for the shortest queue. Solved numerically on the chain
 * of (longer, shorter) queue, cut at 70, where next to nothing is left at a load of 0.8, by sweeps until they settle.
 */
export function twoServers(rho: number, toShorter: number): number {
  const size = 70;
  const lambda = 2 * rho;
  const states = Array.from({ length: size + 1 }, (_, long) =>
    Array.from({ length: long + 1 }, (__, short) => ({ long, short })),
  ).flat();
  const p = Array.from({ length: size + 2 }, () => new Float64Array(size + 2));
  for (const { long, short } of states) p[long]![short] = rho ** (long + short);
  for (let before = 0, response = 1; ; before = response) {
    for (let sweep = 0; sweep < 40; sweep++) for (const state of states) settle(p, state, size, lambda, toShorter);
    response = meanNumber(p, states) / lambda;
    if (Math.abs(response - before) < 1e-11) return response;
  }
}

interface TwoQueues {
  readonly long: number;
  readonly short: number;
}

/** Sets the weight of a state so that as much enters it as leaves. A full longer queue hands its arrivals to the shorter. */
function settle(p: Float64Array[], { long, short }: TwoQueues, size: number, lambda: number, toShorter: number): void {
  const full = long === size;
  const leave = (full && short === size ? 0 : lambda) + (long > 0 ? 1 : 0) + (short > 0 ? 1 : 0);
  let enter = 0;
  if (long > 0) enter += lambda * (long - 1 === short ? 1 : long > short ? 1 - toShorter : 0) * p[long - 1]![short]!;
  if (short > 0) enter += lambda * (full ? 1 : toShorter) * p[long]![short - 1]!;
  if (!full) enter += p[long + 1]![short]!;
  // Of two equal queues either may lose a request.
  if (short < long) enter += (short + 1 === long ? 2 : 1) * p[long]![short + 1]!;
  p[long]![short] = enter / leave;
}

function meanNumber(p: readonly Float64Array[], states: readonly TwoQueues[]): number {
  const all = sum(states.map(({ long, short }) => p[long]![short]!));
  return sum(states.map(({ long, short }) => p[long]![short]! * (long + short))) / all;
}

/** Round robin over `servers`: each sees Erlang arrivals (GI/M/1). `sigma` is the chance to wait; responses are exponential. */
export function roundRobin(servers: number, rho: number): { sigma: number; response: number } {
  let sigma = rho;
  for (let i = 0; i < 2000; i++) sigma = ((servers * rho) / (servers * rho + 1 - sigma)) ** servers;
  return { sigma, response: 1 / (1 - sigma) };
}

/** Where a distribution that rises from 0 to 1 first reaches p. */
export function whereReaches(below: (t: number) => number, p: number): number {
  let [low, high] = [0, 1];
  while (below(high) < p) high *= 2;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (below(middle) < p) low = middle;
    else high = middle;
  }
  return high;
}

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0);
}
