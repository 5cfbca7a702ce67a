/**
 * Whose place a pod takes that fits nowhere (DefaultPreemption, B7): a dry run on every node, then the node where it does
 * the least harm. On a node all pods of lower priority go at first; then one after the other is let stay, as long as the
 * pod still fits: those whose loss would break a budget first, in each group the most important one first. Who could not
 * stay is a victim.
 *
 * Budgets are asked, but do not forbid. The best node has the fewest victims against a budget, then the lowest priority of
 * its most important victim, the smallest sum of priorities, the fewest victims, the latest start of its most important
 * ones, and is the first in the order given.
 *
 * Sources: framework/preemption/preemption.go (pickOneNodeForPreemption) and plugins/defaultpreemption (SelectVictimsOnNode,
 * filterPodsWithPDBViolation). The real search stops at 100 candidates or a tenth of the nodes, from a random one on; here
 * the caller gives the nodes that are looked at.
 */
export interface PreemptablePod {
  readonly uid: number;
  readonly priority: number;
  /** When the kubelet took it up. */
  readonly startedUs: number;
  /** Names of the budgets that guard it. */
  readonly budgets: readonly string[];
}

export interface PreemptionNode {
  readonly name: string;
  /** Its pods, those on their way out, too: where these are the victims, the pod waits for them. */
  readonly pods: readonly PreemptablePod[];
  /** Whether the pod passes all filters there once those of these uids are gone. */
  readonly fitsWithout: (gone: ReadonlySet<number>) => boolean;
}

export interface Preemption {
  readonly node: string;
  /** The most important first; at least one. */
  readonly victims: readonly PreemptablePod[];
  readonly budgetViolations: number;
}

/** `disruptionsAllowed` of each budget by name. Null: it would fit nowhere even then. */
export function choosePreemption(
  priority: number,
  nodes: readonly PreemptionNode[],
  disruptionsAllowed: ReadonlyMap<string, number>,
): Preemption | null {
  let best: { readonly preemption: Preemption; readonly harm: readonly number[] } | null = null;
  for (const node of nodes) {
    const preemption = victimsOn(priority, node, disruptionsAllowed);
    if (preemption === null) continue;
    const harm = harmOf(preemption);
    if (best === null || isLess(harm, best.harm)) best = { preemption, harm };
  }
  return best?.preemption ?? null;
}

function victimsOn(
  priority: number,
  { name, pods, fitsWithout }: PreemptionNode,
  disruptionsAllowed: ReadonlyMap<string, number>,
): Preemption | null {
  const lower = pods.filter((pod) => pod.priority < priority).sort(moreImportant);
  const gone = new Set(lower.map(({ uid }) => uid));
  if (lower.length === 0 || !fitsWithout(gone)) return null;
  const { violating, others } = splitByBudgets(lower, disruptionsAllowed);
  /** Those that cannot stay. */
  const reprieve = (candidates: readonly PreemptablePod[]): PreemptablePod[] =>
    candidates.filter(({ uid }) => {
      gone.delete(uid);
      if (fitsWithout(gone)) return false;
      gone.add(uid);
      return true;
    });
  const against = reprieve(violating);
  const victims = [...against, ...reprieve(others)].sort(moreImportant);
  // Then it was not for lower pods that it did not fit.
  if (victims.length === 0) return null;
  return { node: name, victims, budgetViolations: against.length };
}

/** Each pod in turn spends one disruption of its budgets; from the first that is overspent on, they are violated. */
function splitByBudgets(pods: readonly PreemptablePod[], disruptionsAllowed: ReadonlyMap<string, number>) {
  const left = new Map(disruptionsAllowed);
  const violating: PreemptablePod[] = [];
  const others: PreemptablePod[] = [];
  for (const pod of pods) {
    let isViolating = false;
    for (const budget of pod.budgets) {
      const allowed = left.get(budget)! - 1;
      left.set(budget, allowed);
      if (allowed < 0) isViolating = true;
    }
    (isViolating ? violating : others).push(pod);
  }
  return { violating, others };
}

function moreImportant(a: PreemptablePod, b: PreemptablePod): number {
  return b.priority - a.priority || a.startedUs - b.startedUs || a.uid - b.uid;
}

/** Makes every priority positive, so that a victim more is never a smaller sum. */
const PRIORITY_OFFSET = 2 ** 31;

/** Compared from the first number on; less is better. */
function harmOf({ victims, budgetViolations }: Preemption): number[] {
  const highest = victims[0]!.priority;
  // Sorted by start within a priority: the first has run longest.
  return [
    budgetViolations,
    highest,
    victims.reduce((sum, { priority }) => sum + priority + PRIORITY_OFFSET, 0),
    victims.length,
    -victims[0]!.startedUs,
  ];
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at >= 0 && a[at]! < b[at]!;
}
