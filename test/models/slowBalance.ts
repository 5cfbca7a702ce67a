/**
 * The balancer's objective as its page writes it down, one request class at a time, and two searches that cannot get
 * stuck: every combination of a grid, and ever smaller random changes from many starts.
 */
export interface SlowCase {
  demand: number[];
  pods: number[];
  serviceMs: number[];
  concurrency: number;
  /** By source and place. */
  wireMs: number[][];
  queueWeight: number;
  maxUtilization: number;
  serviceVariation: number;
  hedge: number;
}

/** Mean wait in ms of n pods with k servers each. */
export function slowWaitMs(serviceMs: number, cv: number, utilization: number, n: number, k: number): number {
  const c = (k * n) / (1 + (n - 1) / 9);
  const queue = Math.pow(utilization, Math.sqrt(2 * (c + 1)) - 1) / (c * (1 - utilization));
  return ((serviceMs * (1 + cv ** 2)) / 2) * queue;
}

/** `shares[i][j]` as fractions. */
export function slowCostMs(one: SlowCase, shares: number[][]): number {
  const total = one.demand.reduce((sum, rate) => sum + rate, 0);
  const loadsOf = (demand: number[]) =>
    one.pods.map((_, j) => demand.reduce((sum, rate, i) => sum + rate * shares[i]![j]!, 0));
  const busy = (load: number, j: number) => (load * one.serviceMs[j]!) / 1000 / (one.concurrency * one.pods[j]!);
  let cost = 0;
  one.demand.forEach((rate, i) => shares[i]!.forEach((share, j) => (cost += rate * share * one.wireMs[i]![j]!)));
  loadsOf(one.demand).forEach((load, j) => {
    const wait = (rho: number) =>
      slowWaitMs(one.serviceMs[j]!, one.serviceVariation, rho, one.pods[j]!, one.concurrency);
    const rho = busy(load, j);
    const most = one.maxUtilization;
    if (rho <= most) return void (cost += one.queueWeight * load * wait(rho));
    // The tangent by a difference quotient: nobody has to differentiate anything.
    const slope = (wait(most) - wait(most - 1e-6)) / 1e-6;
    const excess = rho - most;
    cost += load * (one.queueWeight * (wait(most) + slope * excess + 1000 * excess) + 20_000 * excess ** 2);
  });
  if (one.hedge > 0) {
    const hottest = one.demand.indexOf(Math.max(...one.demand));
    const colder = one.demand.filter((rate) => rate < one.demand[hottest]!).length;
    const weight = one.hedge * Math.min(1, 2 / colder);
    one.demand.forEach((rate, z) => {
      if (rate >= one.demand[hottest]!) return;
      const moved = one.demand.map((own, i) => (i === hottest ? rate : i === z ? one.demand[hottest]! : own));
      loadsOf(moved).forEach((load, j) => (cost += weight * 5000 * load * Math.max(0, busy(load, j) - 0.95)));
    });
  }
  return cost / total;
}

/** The best of all shares in steps of `1 / parts`, for few sources and places. */
export function bestOfGrid(one: SlowCase, parts: number): number {
  const rows = compositions(parts, one.pods.length).map((row) => row.map((part) => part / parts));
  let best = Infinity;
  const visit = (chosen: number[][]): void => {
    if (chosen.length === one.demand.length) best = Math.min(best, slowCostMs(one, chosen));
    else for (const row of rows) visit([...chosen, row]);
  };
  visit([]);
  return best;
}

function compositions(sum: number, parts: number): number[][] {
  if (parts === 1) return [[sum]];
  return Array.from({ length: sum + 1 }, (_, first) => first).flatMap((first) =>
    compositions(sum - first, parts - 1).map((rest) => [first, ...rest]),
  );
}

/** Ever smaller random changes; `random` gives numbers in [0, 1). */
export function bestOfRandom(one: SlowCase, tries: number, starts: number, random: () => number): number {
  const places = one.pods.length;
  let best = Infinity;
  for (let start = 0; start < starts; start++) {
    const shares = one.demand.map((_, i) => {
      const raw = one.pods.map((_, j) => (start === 0 ? Number(i % places === j) : -Math.log(1 - random())));
      const sum = raw.reduce((all, part) => all + part, 0);
      return raw.map((part) => part / sum);
    });
    let cost = slowCostMs(one, shares);
    for (let attempt = 0; attempt < tries; attempt++) {
      const size = 0.5 * Math.pow(1e-4, attempt / tries);
      // One or two rows at a time: a pair of rows may have to move together.
      const before = shares.map((row) => [...row]);
      const b = Math.floor(random() * places);
      for (let moves = random() < 0.5 ? 1 : 2; moves > 0; moves--) {
        const row = shares[Math.floor(random() * shares.length)]!;
        const [from, to] = moves === 2 ? [Math.floor(random() * places), b] : [b, Math.floor(random() * places)];
        const amount = Math.min(row[from]!, size * random());
        row[from] = row[from]! - amount;
        row[to] = row[to]! + amount;
      }
      const next = slowCostMs(one, shares);
      if (next < cost) cost = next;
      else before.forEach((row, i) => (shares[i] = row));
    }
    best = Math.min(best, cost);
  }
  return best;
}
