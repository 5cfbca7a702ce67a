import test from 'ava';
import { parseExpectation, type Gate, type Quantity } from '../../scenarios/expectations.js';
import { nearest } from '../../scenarios/problems.js';

const known = {
  services: ['checkout', 'cart', 'x'],
  policies: ['hpa', 'hpa+wavetank'],
  zones: ['eu-1/a', 'eu-1/b'],
  loads: ['web'],
};

function gateOf(text: string): Gate {
  const parsed = parseExpectation(text, known);
  if (parsed.gate === null) throw new Error(JSON.stringify(parsed.problems));
  return parsed.gate;
}

const absolute = test.macro((t, text: string, value: number, quantity: Quantity) => {
  const gate = gateOf(text);
  t.is(gate.limit?.value.kind, 'absolute');
  if (gate.limit?.value.kind === 'absolute')
    t.true(Math.abs(gate.limit.value.value - value) < 1e-12 * Math.max(1, value));
  t.is(gate.quantity, quantity);
});

test('latency in milliseconds', absolute, 'p99(latency{service="checkout"}) < 200ms', 200, 'latencyMs');
test('latency in seconds is kept in milliseconds', absolute, 'mean(latency) <= 1.5 s', 1500, 'latencyMs');
test('latency in microseconds', absolute, 'p50(latency) <= 250us', 0.25, 'latencyMs');
test('a failed ratio in percent is kept as a fraction', absolute, 'ratio(failed) <= 0.05%', 0.0005, 'share');
test('a cross-zone ratio', absolute, 'ratio(crossZone) <= 30%', 0.3, 'share');
test('cost by the hour', absolute, 'cost <= 1.2 USD/h', 1.2, 'usdPerHour');
// 876 / 730 hours = 1.2
test('cost by the month of 730 hours', absolute, 'cost{part="attributed"} <= 876 USD/month', 1.2, 'usdPerHour');
test('nodes are a plain number', absolute, 'max(nodes{zone="eu-1/a"}) <= 9', 9, 'count');
test('replicas are a plain number', absolute, 'max(replicas{service="x"}) <= 20', 20, 'count');
test('a rate in requests a second', absolute, 'rate(requests{service="cart"}) >= 90 rps', 90, 'perSecond');
test('recovery in minutes is kept in seconds', absolute, 'max(recovery) <= 2min', 120, 'seconds');
test('CPU is a percentage of requests', absolute, 'max(cpu{service="cart", zone="eu-1/a"}) <= 85%', 85, 'percent');

test('a gate keeps its statistic, labels, operator and policy', (t) => {
  t.deepEqual(gateOf(' p99(latency{source="gateway", destination="cart"}){policy="hpa+wavetank"} >= 3ms '), {
    text: 'p99(latency{source="gateway", destination="cart"}){policy="hpa+wavetank"} >= 3ms',
    statistic: 'p99',
    metric: 'latency',
    quantity: 'latencyMs',
    labels: { source: 'gateway', destination: 'cart' },
    policy: 'hpa+wavetank',
    limit: { operator: '>=', value: { kind: 'absolute', value: 3 } },
  });
  t.is(gateOf('p99(latency{policy="hpa"}) < 1s').policy, 'hpa');
  t.is(gateOf('cost{policy="hpa"} < 1 USD/h').policy, 'hpa');
});

test('limits relative to the baseline carry their sign', (t) => {
  const percent = (text: string): number | null => {
    const value = gateOf(text).limit?.value;
    return value?.kind === 'relative' ? value.percent : null;
  };
  t.is(percent('cost <= +10% of baseline'), 10);
  t.is(percent('p95(latency) <= -2.5% of baseline'), -2.5);
  t.is(percent('p99(latency) <= baseline'), 0);
});

test('survives has a loss, an optional service and policy, and no limit', (t) => {
  const gate = gateOf('survives(any zone){service="cart", policy="hpa"}');
  t.deepEqual(gate.labels, { service: 'cart', loss: 'zone' });
  t.is(gate.policy, 'hpa');
  t.is(gate.limit, null);
  t.is(gateOf('survives(any node)').labels.loss, 'node');
});

const rejected = test.macro((t, text: string, column: number, message: RegExp, hint: string | null) => {
  const parsed = parseExpectation(text, known);
  t.is(parsed.gate, null);
  t.is(parsed.problems.length, 1, JSON.stringify(parsed.problems));
  const [problem] = parsed.problems;
  t.regex(problem?.message ?? '', message);
  t.is(problem?.column, column);
  t.is(problem?.hint, hint);
});

test(
  'an unknown metric is an error with a suggestion',
  rejected,
  'p99(latensy) < 1ms',
  5,
  /unknown metric "latensy"/,
  'did you mean "latency"?',
);
test('an unknown statistic', rejected, 'p98(latency) < 1ms', 1, /unknown statistic/, 'did you mean "p90"?');
test(
  'an unknown label',
  rejected,
  'p99(latency{servise="cart"}) < 1ms',
  13,
  /no label "servise"/,
  'did you mean "service"?',
);
test(
  'an unknown service',
  rejected,
  'p99(latency{service="chekout"}) < 1ms',
  21,
  /unknown service/,
  'did you mean "checkout"?',
);
test(
  'an unknown policy',
  rejected,
  'cost{policy="hpa+wavetan"} < 1 USD/h',
  13,
  /unknown policy/,
  'did you mean "hpa+wavetank"?',
);
test('an unknown zone', rejected, 'max(replicas{zone="mars"}) < 1', 19, /unknown zone/, null);
test(
  'an unknown part of the cost',
  rejected,
  'cost{part="idel"} < 1 USD/h',
  11,
  /unknown part of the cost/,
  'did you mean "idle"?',
);
test('a statistic the metric does not have', rejected, 'p99(failed) < 1%', 1, /failed has no p99/, null);
test('a metric without its statistic', rejected, 'latency < 1ms', 1, /needs a statistic/, 'write mean(latency)');
test('a missing unit', rejected, 'p95(latency) < 90', 18, /needs a unit/, null);
test('a share without percent sign', rejected, 'ratio(failed) < 0.05', 21, /needs a unit/, 'write 5%');
test('a wrong unit', rejected, 'p95(latency) < 90 USD/h', 19, /"USD\/h" is no unit of latency/, null);
test(
  'equality',
  rejected,
  'p95(latency) == 90ms',
  14,
  /comparison/,
  'measured values are never exactly equal; give a bound',
);
test(
  'an unsigned share of the baseline',
  rejected,
  'cost <= 90% of baseline',
  9,
  /needs a sign/,
  'write -10% of baseline, if you mean 90% of its value',
);
test('half an edge', rejected, 'p95(latency{source="cart"}) < 1ms', 13, /both ends/, null);
test('two scopes at once', rejected, 'p95(latency{service="cart",load="web"}) < 1ms', 28, /more than one thing/, null);
test('a label given twice', rejected, 'p95(latency{service="cart",service="x"}) < 1ms', 28, /stands twice/, null);
test('text without end', rejected, 'p95(latency{service="cart}) < 1ms', 21, /no end/, null);
test('a strange character', rejected, 'p95(latency) < 1ms ; cost', 20, /unexpected character ";"/, null);
test('something after the end', rejected, 'survives(any zone) < 3', 20, /unexpected "<"/, null);
test('a missing limit', rejected, 'p95(latency) <', 15, /the text ends/, null);
test('an empty text', rejected, '  ', 1, /empty/, null);
test('survival of an unknown loss', rejected, 'survives(any cluster)', 14, /not known/, null);
test(
  'the baseline compared with itself',
  rejected,
  'cost{policy="hpa"} <= baseline',
  23,
  /is the baseline itself/,
  null,
);
test('mean(cpu) over unlike services', rejected, 'mean(cpu) <= 80%', 1, /needs a service/, null);

test('every wrong name is reported, in order of place', (t) => {
  const { problems } = parseExpectation('p99(latency{servce="cart", policy="hpq"}) < 1ms', known);
  t.deepEqual(
    problems.map((problem) => problem.column),
    [13, 35],
  );
});

test('names are not checked where the scenario gives no list', (t) => {
  t.is(parseExpectation('p99(latency{service="anything"}) < 1ms').problems.length, 0);
});

test('a relative limit needs a second policy', (t) => {
  const { problems } = parseExpectation('cost <= baseline', { policies: ['hpa'] });
  t.regex(problems[0]?.message ?? '', /second policy/);
});

test('the nearest name has at most a third of its letters wrong', (t) => {
  t.is(nearest('frontned', ['frontend', 'backend']), 'frontend');
  t.is(nearest('abc', ['xyz']), null);
});
