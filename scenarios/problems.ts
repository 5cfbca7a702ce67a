/**
 * What is wrong with an input file, said so that it can be mended without a manual: where (file, line, column and the
 * path of keys), what stands there, what was expected, and the nearest name that would have been right. Each kind of
 * problem has a code that stays the same over versions; `explain` gives the paragraph behind it.
 */
export interface Problem {
  readonly code: ProblemCode;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Keys from the top of the file: `spec.services[1].endpoints[0].cpu`; empty for the file itself. */
  readonly path: string;
  readonly message: string;
  /** What stands there, as written; null where nothing does. */
  readonly value: string | null;
  readonly expected: string | null;
  readonly hint: string | null;
  /** The whole source line; null where the file has none. */
  readonly excerpt: string | null;
}

const EXPLANATIONS = {
  WT0101:
    'The file is not UTF-8 text. It holds NUL or replacement characters, as when a UTF-16 file, a compressed file or another binary is given. Save it as UTF-8.',
  WT0102:
    'The file is neither well-formed YAML nor JSON, so nothing more could be checked. Look at the indentation, at unclosed quotes and brackets, and at tabs.',
  WT0103: 'A key stands twice in one mapping. YAML readers differ in which one they keep, so one of them must go.',
  WT0104: 'The file is empty, or holds only comments. A scenario needs at least apiVersion, kind, metadata and spec.',
  WT0105: 'A scenario file holds one document. Split documents separated by "---" into files.',
  WT0106:
    'The file is of another kind or version. A scenario says "apiVersion: wavetank/v1alpha1" and "kind: Scenario", a snapshot for "decide" says "kind: Snapshot".',
  WT0201:
    'A key that this place does not know. Unknown keys are errors, because a misspelt setting that is dropped in silence gives a wrong answer with a straight face.',
  WT0202: 'A key is missing that has no sensible default.',
  WT0203: 'A value is of the wrong type: a list where one name is wanted, a text where a number is.',
  WT0204:
    'An amount cannot be read, or has the wrong unit or none. Durations are written as in Go (250ms, 1h30m), CPU and memory as in Kubernetes (100m, 1Gi), rates per time (1400/s), shares with a percent sign.',
  WT0205:
    'A number is outside of what makes sense here: negative, not finite, zero where there must be some, or above its bound.',
  WT0206: 'The value is not one of the words that are allowed here.',
  WT0207: 'Keys that exclude each other stand together, or none of a group stands where exactly one is needed.',
  WT0208:
    'A name is not written as such names must be: services and pools as in Kubernetes (lower-case letters, digits, "-"), zones as region/zone.',
  WT0209:
    'The value REQUIRED stands where "wavetank init" could not know it from the objects of a cluster: service times, calls, load, prices. Put the value in its place; the comment beside it says what is meant.',
  WT0301:
    'A service is named that the scenario does not declare under spec.services (or, where anything that is called will do, under spec.externals).',
  WT0302:
    'An endpoint is named that its service does not declare, or a service with several endpoints is named without saying which one ("service/endpoint").',
  WT0303: 'A zone is named that the scenario does not declare under spec.cluster.zones. Zones are written region/zone.',
  WT0304: 'A policy extends another that the scenario does not declare, or itself in a circle.',
  WT0305: 'A name is used twice among things that are told apart by name.',
  WT0306:
    'The calls between endpoints form a circle, so that a request would never end. The message prints the circle; one of its calls must go.',
  WT0307: 'Shares of one whole do not add up to 100 %.',
  WT0308:
    'A node pool names an instance type or a price book that is not in the table, or leaves open how large or how dear its nodes are. State "allocatable" and "pricePerHour" for anything not in the table.',
  WT0309: 'A pod asks for more than any node of the cluster has, so that it could never start.',
  WT0310: 'Times and bucket edges must stand in ascending order.',
  WT0311: 'A node is named that the node pools do not make. Nodes are called pool-region-zone-number, counted from 0.',
  WT0312:
    'A gate of spec.expectations cannot be read, or asks for a metric, a label or a name that does not exist. Such a gate would never fail, so it is an error. Gates look like p95(latency{service="checkout"}) < 200ms.',
  WT0313:
    'A load is named that the scenario does not declare under spec.load. Its name is the one given, or its entry.',
  WT0315: 'A queue is named that the scenario does not declare under spec.queues.',
  WT0401: 'Istio would refuse this object: its own validation says so, and kubectl apply would fail in the cluster.',
  WT0402:
    'The host of a DestinationRule or VirtualService is none of the services of the scenario, so that it would do nothing. Hosts are a short name, name.namespace or the full name ending in .svc.cluster.local. Those of a ServiceEntry are the hosts of spec.externals.',
  WT0403:
    'Two DestinationRules, or two VirtualServices, speak of one host. Istio would keep the older one only; a scenario must say which one it means.',
  WT0404: 'A mesh object is of a kind that is not known here.',
  WT0501:
    'The offered load is above what the starting replicas can do, by workers or by CPU limit. Such a run is allowed, but its latencies grow with its length: they say "saturated", not how long a request takes.',
  WT0502:
    'A setting of Istio or Kubernetes that is known but not simulated yet. It is left out, so the result is that of a cluster without it.',
  WT0504: 'Istio accepts this setting but it has no effect as it stands.',
  WT0505: 'The starting replicas together ask for more than the nodes have. Some pods will wait for room.',
  WT0506:
    'Bytes may cross zones or regions, and no price is stated for them: no pool names a price book, and spec.cluster.transfer says nothing; or a node, a load balancer, NAT or the internet has none. What they cost is reported as unknown, and so is the total. State a price, or "unknown" to say so on purpose.',
  WT0507:
    'The named matrix of round trips has no figure for two regions of the scenario. State the pair under spec.cluster.roundTrip.pairs, or crossRegion.',
  WT0508:
    'A rule of a service asks for a label that no node of the cluster has, so that its pods will wait for good. Node pools state labels of their own; every node has those of its region, its zone and its name.',
  WT0601:
    'A document is not a Kubernetes object. Each needs apiVersion, kind and metadata.name, as "kubectl get ... -o yaml" and "helm template" write them. Templates that Helm has not filled in are none yet.',
  WT0602:
    'The same object stands twice, and not with the same content, as when two dumps of different days lie in one folder. Only one of them can hold.',
  WT0603:
    'Two namespaces hold a Service of the same name. Services of a scenario have a name and no namespace: choose with --namespace, and make a scenario for each.',
  WT0604: 'The objects hold no Deployment, StatefulSet, ReplicaSet or Pod that a scenario could be made of.',
} as const;

export type ProblemCode = keyof typeof EXPLANATIONS;

export const PROBLEM_CODES = Object.keys(EXPLANATIONS) as readonly ProblemCode[];

/** The paragraph behind a code; null for a code that does not exist. */
export function explain(code: string): string | null {
  return Object.hasOwn(EXPLANATIONS, code) ? EXPLANATIONS[code as ProblemCode] : null;
}

/** `file:line:col: path: message`, then the source line with a caret, and the rows that are known. */
export function formatProblem(problem: Problem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  const lines = [`${place}: ${problem.path === '' ? '' : `${problem.path}: `}${problem.message} [${problem.code}]`];
  if (problem.excerpt !== null) {
    const number = String(problem.line).padStart(5);
    const { text, caret } = excerptAround(problem.excerpt, problem.column - 1);
    lines.push(`${number} | ${text}`, `${' '.repeat(5)} | ${' '.repeat(caret)}^`);
  }
  if (problem.value !== null) lines.push(`      value:    ${problem.value}`);
  if (problem.expected !== null) lines.push(`      expected: ${problem.expected}`);
  if (problem.hint !== null) lines.push(`      hint:     ${problem.hint}`);
  return lines.join('\n');
}

/** What fits beside the number in a terminal of 80 columns. */
const EXCERPT_CELLS = 72;

/** A line that is too long, as `--set` makes one of a whole list, is cut to what stands around the place. */
function excerptAround(line: string, at: number): { readonly text: string; readonly caret: number } {
  if (line.length <= EXCERPT_CELLS) return { text: line, caret: at };
  const from = Math.max(0, Math.min(at - EXCERPT_CELLS / 2, line.length - EXCERPT_CELLS));
  const cut = line.slice(from, from + EXCERPT_CELLS);
  const head = from > 0 ? `…${cut.slice(1)}` : cut;
  return { text: from + EXCERPT_CELLS < line.length ? `${head.slice(0, -1)}…` : head, caret: at - from };
}

/**
 * The known name nearest to a misspelt one, or null when none is near: at most one edit for every three letters, so
 * that "chekout" finds "checkout" and "pay" does not find "get". Of equally near ones the first declared wins.
 */
export function nearest(name: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

export function didYouMean(name: string, known: readonly string[]): string | null {
  const near = nearest(name, known);
  return near === null ? null : `did you mean "${near}"?`;
}

/** Insertions, deletions, replacements, and swaps of neighbours (the commonest slip of fingers), each one edit. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replace, last[j]! + 1, row[j - 1]! + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
