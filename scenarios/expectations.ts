/**
 * Reads one gate of a scenario, such as `p99(latency{service="checkout"}) < 200ms`, into a record that
 * `reports/gates.ts` can judge. It decides what may be asked at all: a misspelt metric, label or service must be an error
 * with a suggestion, never a gate that silently passes.
 *
 *   gate      = measure [selector] operator limit  |  "survives" "(" "any" ("zone" | "node") ")" [selector]
 *   measure   = statistic "(" metric [selector] ")"  |  "cost"
 *   selector  = "{" label "=" string {"," label "=" string} "}"
 *   operator  = "<" | "<=" | ">" | ">="
 *   limit     = number unit  |  ("+" | "-") number "%" "of" "baseline"  |  "baseline"
 *
 * The label `policy` may stand in either selector. A gate without it holds for every policy (a relative one: for every
 * policy but the first, which is the baseline).
 */
import { didYouMean } from './problems.js';

export type Statistic = 'mean' | 'p50' | 'p90' | 'p95' | 'p99' | 'ratio' | 'rate' | 'max' | 'min' | 'total';
export type Metric =
  | 'latency'
  | 'failed'
  | 'crossZone'
  | 'requests'
  | 'cost'
  | 'replicas'
  | 'nodes'
  | 'cpu'
  | 'goodput'
  | 'recovery'
  | 'survives'
  | 'queueLength'
  | 'queueTime'
  | 'deadLettered';
/** What a measure counts; decides the units of its limit. Values are ms, 0..1, USD/h, a count, 1/s, percent, s. */
export type Quantity = 'latencyMs' | 'share' | 'usdPerHour' | 'count' | 'perSecond' | 'percent' | 'seconds' | 'yesNo';
export type Operator = '<' | '<=' | '>' | '>=';
export type Label = 'service' | 'load' | 'source' | 'destination' | 'zone' | 'part' | 'loss' | 'queue';

export type Limit =
  | { readonly kind: 'absolute'; readonly value: number }
  /** 10 means: at most (or least) 1.10 times the baseline. */
  | { readonly kind: 'relative'; readonly percent: number };

export interface Gate {
  readonly text: string;
  readonly statistic: Statistic;
  readonly metric: Metric;
  readonly quantity: Quantity;
  readonly labels: Readonly<Partial<Record<Label, string>>>;
  readonly policy: string | null;
  /** Null for `survives(...)`, which is true or false by itself. */
  readonly limit: { readonly operator: Operator; readonly value: Limit } | null;
}

export interface ExpectationProblem {
  readonly message: string;
  /** 1-based, within the text of the expectation. */
  readonly column: number;
  readonly expected: string | null;
  readonly hint: string | null;
}

export type ParsedExpectation =
  | { readonly gate: Gate; readonly problems: readonly [] }
  | { readonly gate: null; readonly problems: readonly ExpectationProblem[] };

/** The names a scenario declares. A list left out is not checked. */
export interface KnownNames {
  readonly services?: readonly string[];
  readonly policies?: readonly string[];
  readonly zones?: readonly string[];
  readonly loads?: readonly string[];
  readonly queues?: readonly string[];
}

export function parseExpectation(text: string, known: KnownNames = {}): ParsedExpectation {
  const problems: ExpectationProblem[] = [];
  try {
    const gate = readGate(text, tokenize(text), known, problems);
    if (problems.length === 0) return { gate, problems: [] };
  } catch (error) {
    if (!(error instanceof SyntaxStop)) throw error;
    problems.push(error.problem);
  }
  return { gate: null, problems: problems.sort((a, b) => a.column - b.column) };
}

interface MetricRule {
  readonly statistics: readonly Statistic[];
  readonly labels: readonly Label[];
  readonly quantity: Quantity;
}

const edgeLabels: readonly Label[] = ['source', 'destination'];
const metricRules: Readonly<Record<Exclude<Metric, 'cost' | 'survives'>, MetricRule>> = {
  latency: {
    statistics: ['mean', 'p50', 'p90', 'p95', 'p99'],
    labels: ['service', 'load', ...edgeLabels],
    quantity: 'latencyMs',
  },
  failed: { statistics: ['ratio'], labels: ['service', 'load', ...edgeLabels], quantity: 'share' },
  crossZone: { statistics: ['ratio'], labels: edgeLabels, quantity: 'share' },
  requests: { statistics: ['rate'], labels: ['service', ...edgeLabels], quantity: 'perSecond' },
  replicas: { statistics: ['mean', 'max', 'min'], labels: ['service', 'zone'], quantity: 'count' },
  nodes: { statistics: ['mean', 'max', 'min'], labels: ['zone'], quantity: 'count' },
  cpu: { statistics: ['mean', 'max'], labels: ['service', 'zone'], quantity: 'percent' },
  goodput: { statistics: ['min'], labels: [], quantity: 'share' },
  recovery: { statistics: ['max'], labels: [], quantity: 'seconds' },
  queueLength: { statistics: ['mean', 'max'], labels: ['queue'], quantity: 'count' },
  queueTime: { statistics: ['mean', 'p50', 'p90', 'p95', 'p99'], labels: ['queue'], quantity: 'latencyMs' },
  deadLettered: { statistics: ['ratio'], labels: ['queue'], quantity: 'share' },
};
const costRule: MetricRule = { statistics: ['total'], labels: ['service', 'part'], quantity: 'usdPerHour' };
const survivesRule: MetricRule = { statistics: ['total'], labels: ['service'], quantity: 'yesNo' };
const statistics: readonly Statistic[] = ['mean', 'p50', 'p90', 'p95', 'p99', 'ratio', 'rate', 'max', 'min'];
const costParts = [
  'total',
  'attributed',
  'nodes',
  'workload',
  'sidecar',
  'unused',
  'idle',
  'crossZone',
  'crossRegion',
  'loadBalancer',
  'internet',
  'nat',
];
const operators: readonly string[] = ['<', '<=', '>', '>='];

/** 730 hours: the month of cloud price lists (8,760 hours a year over 12). */
const hoursPerMonth = 730;
/** Factors into the base unit of each quantity. */
const units: Readonly<Record<Quantity, Readonly<Record<string, number>>>> = {
  latencyMs: { us: 0.001, ms: 1, s: 1000, min: 60_000 },
  seconds: { ms: 0.001, s: 1, min: 60, h: 3600 },
  share: { '%': 0.01 },
  percent: { '%': 1 },
  usdPerHour: { 'USD/h': 1, 'USD/day': 1 / 24, 'USD/month': 1 / hoursPerMonth },
  count: { '': 1 },
  perSecond: { '/s': 1, '/min': 1 / 60 },
  yesNo: {},
};

class SyntaxStop extends Error {
  constructor(readonly problem: ExpectationProblem) {
    super(problem.message);
  }
}

function stop(message: string, column: number, expected: string | null, hint: string | null = null): never {
  throw new SyntaxStop({ message, column, expected, hint });
}

interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'symbol' | 'end';
  readonly text: string;
  readonly column: number;
}

const tokenPattern =
  /\s*(?:("(?:[^"\\]|\\.)*")|(\d+(?:\.\d+)?(?:e[+-]?\d+)?)|([A-Za-zµ_][\w]*)|(<=|>=|==|!=|[<>(){},=+\-%/]))/uy;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== '') {
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(text);
    const column = at + text.slice(at).search(/\S/) + 1;
    if (match === null) {
      const broken = text[column - 1];
      if (broken === '"') stop('the text in quotes has no end', column, 'a closing "');
      stop(`unexpected character ${JSON.stringify(broken)}`, column, 'a metric, an operator or a limit');
    }
    const [, string, number, word, symbol] = match;
    if (string !== undefined)
      tokens.push({ kind: 'string', text: string.slice(1, -1).replace(/\\(.)/gu, '$1'), column });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, column });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, column });
    else tokens.push({ kind: 'symbol', text: symbol ?? '', column });
    at = tokenPattern.lastIndex;
  }
  tokens.push({ kind: 'end', text: '', column: text.trimEnd().length + 1 });
  return tokens;
}

interface Reader {
  peek(): Token;
  next(): Token;
  take(text: string): boolean;
  need(text: string, expected: string): void;
}

function readerOf(tokens: readonly Token[]): Reader {
  let index = 0;
  const end = tokens[tokens.length - 1] as Token;
  const peek = (): Token => tokens[index] ?? end;
  const next = (): Token => tokens[index++] ?? end;
  const take = (text: string): boolean => {
    const token = peek();
    const found = token.kind !== 'string' && token.kind !== 'end' && token.text === text;
    if (found) index++;
    return found;
  };
  const need = (text: string, expected: string): void => {
    if (!take(text)) stop(`${shown(peek())} where "${text}" should stand`, peek().column, expected);
  };
  return { peek, next, take, need };
}

function shown(token: Token): string {
  return token.kind === 'end' ? 'the text ends' : `found "${token.text}"`;
}

interface LabelUse {
  readonly name: string;
  readonly value: string;
  readonly nameColumn: number;
  readonly valueColumn: number;
}

function readGate(text: string, tokens: readonly Token[], known: KnownNames, problems: ExpectationProblem[]): Gate {
  const reader = readerOf(tokens);
  const first = reader.next();
  if (first.kind === 'end') stop('the expectation is empty', 1, 'for example p95(latency) < 90ms');
  const uses: LabelUse[] = [];
  const base = { text: text.trim(), policy: null as string | null };

  if (first.text === 'survives') {
    const loss = readLoss(reader);
    readSelector(reader, uses);
    finish(reader);
    const { labels, policy } = checkLabels('survives', survivesRule, uses, known, problems);
    return {
      ...base,
      policy,
      statistic: 'total',
      metric: 'survives',
      quantity: 'yesNo',
      labels: { ...labels, loss },
      limit: null,
    };
  }

  const { metric, statistic, rule } =
    first.text === 'cost' ? readCost(reader, uses) : readStatistic(reader, first, uses);
  readSelector(reader, uses);
  const { labels, policy } = checkLabels(metric, rule, uses, known, problems);
  if (metric === 'cpu' && statistic === 'mean' && labels.service === undefined) {
    problems.push({
      message: 'mean(cpu) needs a service: the pods of different services request different amounts',
      column: first.column,
      expected: 'mean(cpu{service="..."})',
      hint: null,
    });
  }
  if (rule.labels.includes('queue') && labels.queue === undefined)
    problems.push({
      message: `${metric} needs a queue`,
      column: first.column,
      expected: `${statistic}(${metric}{queue="..."})`,
      hint: null,
    });
  const operator = readOperator(reader);
  const limitColumn = reader.peek().column;
  const value = readLimit(reader, rule.quantity, metric);
  finish(reader);
  if (value.kind === 'relative') checkBaseline(policy, known, limitColumn, problems);
  return { ...base, policy, statistic, metric, quantity: rule.quantity, labels, limit: { operator, value } };
}

function readLoss(reader: Reader): string {
  const expected = 'survives(any zone) or survives(any node)';
  reader.need('(', expected);
  reader.need('any', expected);
  const what = reader.next();
  if (what.text !== 'zone' && what.text !== 'node')
    stop(`survives(any ${what.text}) is not known`, what.column, expected);
  reader.need(')', expected);
  return what.text;
}

type Head = { readonly metric: Metric; readonly statistic: Statistic; readonly rule: MetricRule };

function readCost(reader: Reader, uses: LabelUse[]): Head {
  if (reader.peek().text === '(')
    stop('cost is a sum, it takes no parentheses', reader.peek().column, 'cost <= 1.2 USD/h');
  readSelector(reader, uses);
  return { metric: 'cost', statistic: 'total', rule: costRule };
}

function readStatistic(reader: Reader, first: Token, uses: LabelUse[]): Head {
  const metricNames = Object.keys(metricRules);
  const statistic = statistics.find((name) => name === first.text);
  if (statistic === undefined) {
    const asMetric = metricNames.find((name) => name === first.text) as keyof typeof metricRules | undefined;
    if (asMetric !== undefined) {
      const example = `${metricRules[asMetric].statistics[0]}(${asMetric})`;
      stop(`${asMetric} needs a statistic`, first.column, forms(asMetric), `write ${example}`);
    }
    const names = [...statistics, 'cost', 'survives'];
    stop(
      `unknown statistic "${first.text}"`,
      first.column,
      names.join(', '),
      didYouMean(first.text, [...names, ...metricNames]),
    );
  }
  reader.need('(', `${statistic}(...)`);
  const named = reader.next();
  const metric = metricNames.find((name) => name === named.text) as keyof typeof metricRules | undefined;
  if (metric === undefined) {
    if (named.text === 'cost') stop('cost takes no statistic', named.column, 'cost <= 1.2 USD/h');
    if (named.kind !== 'word')
      stop(`${shown(named)} where a metric should stand`, named.column, metricNames.join(', '));
    stop(`unknown metric "${named.text}"`, named.column, metricNames.join(', '), didYouMean(named.text, metricNames));
  }
  const rule = metricRules[metric];
  if (!rule.statistics.includes(statistic)) stop(`${metric} has no ${statistic}`, first.column, forms(metric));
  readSelector(reader, uses);
  reader.need(')', `${statistic}(${metric})`);
  return { metric, statistic, rule };
}

function forms(metric: keyof typeof metricRules): string {
  return metricRules[metric].statistics.map((name) => `${name}(${metric})`).join(', ');
}

function readSelector(reader: Reader, uses: LabelUse[]): void {
  if (!reader.take('{')) return;
  if (reader.take('}')) return;
  do {
    const name = reader.next();
    if (name.kind !== 'word') stop(`${shown(name)} where a label should stand`, name.column, '{service="checkout"}');
    reader.need('=', `${name.text}="..."`);
    const value = reader.next();
    if (value.kind !== 'string')
      stop(`the value of ${name.text} must stand in double quotes`, value.column, `${name.text}="..."`);
    uses.push({ name: name.text, value: value.text, nameColumn: name.column, valueColumn: value.column });
  } while (reader.take(','));
  reader.need('}', 'a comma or a closing brace');
}

function checkLabels(
  metric: Metric,
  rule: MetricRule,
  uses: readonly LabelUse[],
  known: KnownNames,
  problems: ExpectationProblem[],
): { labels: Partial<Record<Label, string>>; policy: string | null } {
  const allowed: readonly string[] = [...rule.labels, 'policy'];
  const seen = new Map<string, LabelUse>();
  for (const use of uses) {
    if (!allowed.includes(use.name)) {
      const hint = didYouMean(use.name, allowed);
      problems.push({
        message: `${metric} has no label "${use.name}"`,
        column: use.nameColumn,
        expected: allowed.join(', '),
        hint,
      });
    } else if (seen.has(use.name)) {
      problems.push({
        message: `label "${use.name}" stands twice`,
        column: use.nameColumn,
        expected: 'each label once',
        hint: null,
      });
    } else {
      seen.set(use.name, use);
      const problem = unknownValue(use, known);
      if (problem !== null) problems.push(problem);
    }
  }
  const [some, other] = [seen.get('source'), seen.get('destination')];
  const half = some ?? other;
  if (half !== undefined && (some === undefined || other === undefined)) {
    problems.push({
      message: 'an edge needs both ends',
      column: half.nameColumn,
      expected: 'source="...", destination="..."',
      hint: null,
    });
  }
  const scopes = ['service', 'load', 'source'].flatMap((name) => seen.get(name) ?? []);
  if (scopes[1] !== undefined) {
    const expected = 'one of service, load, or source with destination';
    problems.push({
      message: 'the labels name more than one thing',
      column: scopes[1].nameColumn,
      expected,
      hint: null,
    });
  }
  if (metric === 'cost' && seen.has('service') && seen.has('part')) {
    const expected = 'either service or part';
    problems.push({
      message: 'cost is split by service or by part',
      column: seen.get('part')?.nameColumn ?? 1,
      expected,
      hint: null,
    });
  }
  const labels = Object.fromEntries(
    [...seen].filter(([name]) => name !== 'policy').map(([name, use]) => [name, use.value]),
  );
  return { labels, policy: seen.get('policy')?.value ?? null };
}

function unknownValue(use: LabelUse, known: KnownNames): ExpectationProblem | null {
  const lists: Readonly<Record<string, readonly string[] | undefined>> = {
    service: known.services,
    destination: known.services,
    source: known.services === undefined ? undefined : ['gateway', ...known.services],
    load: known.loads,
    zone: known.zones,
    policy: known.policies,
    part: costParts,
    queue: known.queues,
  };
  const names = lists[use.name];
  if (names === undefined || names.includes(use.value)) return null;
  const kind =
    use.name === 'source' || use.name === 'destination'
      ? 'service'
      : use.name === 'part'
        ? 'part of the cost'
        : use.name;
  return {
    message: `unknown ${kind} "${use.value}"`,
    column: use.valueColumn,
    expected: listed(names),
    hint: didYouMean(use.value, names),
  };
}

function readOperator(reader: Reader): Operator {
  const token = reader.next();
  if (!operators.includes(token.text) || token.kind !== 'symbol') {
    const hint = ['=', '==', '!='].includes(token.text)
      ? 'measured values are never exactly equal; give a bound'
      : null;
    stop(`${shown(token)} where a comparison should stand`, token.column, '<, <=, > or >=', hint);
  }
  return token.text as Operator;
}

function readLimit(reader: Reader, quantity: Quantity, metric: Metric): Limit {
  if (reader.take('baseline')) {
    const after = reader.peek();
    if (after.text === '+' || after.text === '-')
      stop('the change stands before the word baseline', after.column, '+10% of baseline');
    return { kind: 'relative', percent: 0 };
  }
  const sign = reader.peek();
  const signed = reader.take('+') || reader.take('-');
  const token = reader.next();
  const expected = expectedLimit(quantity);
  if (token.kind !== 'number') stop(`${shown(token)} where the limit should stand`, token.column, expected);
  const number = Number(token.text);
  if (!Number.isFinite(number)) stop(`${token.text} is too large a number`, token.column, expected);
  if (signed) {
    reader.need('%', `${sign.text}${token.text}% of baseline`);
    reader.need('of', `${sign.text}${token.text}% of baseline`);
    reader.need('baseline', `${sign.text}${token.text}% of baseline`);
    return { kind: 'relative', percent: sign.text === '-' ? -number : number };
  }
  const unitColumn = reader.peek().column;
  const unit = readUnit(reader);
  if (unit === '%' && reader.peek().text === 'of') {
    const change = number - 100;
    const hint = `write ${change >= 0 ? '+' : '-'}${Math.abs(change)}% of baseline, if you mean ${number}% of its value`;
    stop('a limit relative to the baseline needs a sign', token.column, '+10% of baseline or -10% of baseline', hint);
  }
  const factor = new Map(Object.entries(units[quantity])).get(unit === 'µs' ? 'us' : unit);
  if (factor === undefined) {
    const message = unit === '' ? `the limit of ${metric} needs a unit` : `"${unit}" is no unit of ${metric}`;
    const hint =
      quantity === 'share' && unit === '' && number <= 1 ? `write ${Number((number * 100).toPrecision(12))}%` : null;
    stop(message, unitColumn, expected, hint);
  }
  return { kind: 'absolute', value: number * factor };
}

function readUnit(reader: Reader): string {
  let unit = '';
  while (reader.peek().kind !== 'end' && reader.peek().text !== 'of') unit += reader.next().text;
  return unit === 'rps' ? '/s' : unit === 'USD/hour' ? 'USD/h' : unit;
}

function expectedLimit(quantity: Quantity): string {
  const names = Object.keys(units[quantity]).map((unit) => (unit === '' ? 'a plain number' : unit));
  return `a number with unit ${names.join(', ')}, or +10% of baseline`.replace(
    'with unit a plain number',
    'without unit',
  );
}

function finish(reader: Reader): void {
  const rest = reader.peek();
  if (rest.kind !== 'end')
    stop(`unexpected "${rest.text}" after the end of the expectation`, rest.column, 'nothing more');
}

function checkBaseline(policy: string | null, known: KnownNames, column: number, problems: ExpectationProblem[]): void {
  const policies = known.policies;
  if (policies === undefined) return;
  if (policies.length < 2) {
    const message = 'a limit relative to the baseline needs a second policy';
    problems.push({ message, column, expected: 'at least two policies, the first is the baseline', hint: null });
  } else if (policy !== null && policy === policies[0]) {
    const message = `policy "${policy}" is the baseline itself`;
    problems.push({ message, column, expected: `one of ${policies.slice(1).join(', ')}`, hint: null });
  }
}

function listed(names: readonly string[]): string {
  const most = 8;
  if (names.length === 0) return 'none is declared';
  return names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}
