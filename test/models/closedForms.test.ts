/** The closed forms against every row of the tables of SEMANTICS part D, to the digits printed there. */
import gammaQuantile from '@stdlib/stats-base-dists-gamma-quantile';
import test, { type ExecutionContext } from 'ava';
import {
  erlangB,
  erlangC,
  idle,
  jackson,
  md1WaitBelow,
  md1WaitQuantile,
  mg1Wait,
  mm1,
  mm1k,
  mmc,
  powerOfChoices,
  roundRobin,
  sharedResponse,
  twoServers,
} from './closedForms.js';

/** Each value is the printed one when rounded to as many digits. */
function reads(t: ExecutionContext, values: readonly number[], printed: string): void {
  const expected = printed.split(/\s+/);
  t.deepEqual(
    values.map((value, i) => value.toFixed(expected[i]!.split('.')[1]?.length ?? 0)),
    expected,
  );
}

test('D1 worked: 80/s for 0.05 s each are 4 in the system', (t) => {
  // In units of a service of 10 ms: M/M/1 at 0.8 answers in 5 and holds 4.
  const { inSystem, response } = mm1(0.8);
  reads(t, [inSystem, 80 * response * 0.01], '4.0000 4.0000');
});

for (const [rho, printed] of [
  [0.5, '1.0000 0.5000 2.0000 1.0000 1.3863 4.6052 5.9915 9.2103 4.6052 7.8240'],
  [0.8, '4.0000 3.2000 5.0000 4.0000 3.4657 11.5129 14.9787 23.0259 13.8629 21.9101'],
  [0.9, '9.0000 8.1000 10.0000 9.0000 6.9315 23.0259 29.9573 46.0517 28.9037 44.9981'],
] as const)
  test(`D2: M/M/1 at ${rho}: L, Lq, W, Wq, p50, p90, p95, p99, Wq95, Wq99`, (t) => {
    const { inSystem, inQueue, response, wait, responseQuantile, waitQuantile } = mm1(rho);
    const quantiles = [...[0.5, 0.9, 0.95, 0.99].map(responseQuantile), ...[0.95, 0.99].map(waitQuantile)];
    reads(t, [inSystem, inQueue, response, wait, ...quantiles], printed);
  });

test('D2 worked: 80/s at 100/s: 50 ms, p95 149.787 ms, p99 230.259 ms', (t) => {
  const { response, responseQuantile } = mm1(0.8);
  reads(
    t,
    [response, responseQuantile(0.95), responseQuantile(0.99)].map((units) => units * 10),
    '50 149.787 230.259',
  );
});

for (const [servers, rho, printed] of [
  [2, 0.8, '0.329897 0.711111 1.777778 2.777778 2.0400 6.1716 7.9107 11.9374 6.6370 10.6606'],
  [4, 0.8, '0.228145 0.596432 0.745541 1.745541 1.3462 3.7760 4.7380 6.8932 3.0987 5.1105'],
  [8, 0.8, '0.144394 0.457645 0.286028 1.286028 0.9863 2.7846 3.5084 5.1522 1.3838 2.3897'],
  [16, 0.8, '0.080647 0.304884 0.095276 1.095276 0.8019 2.4318 3.1254 4.7350 0.5650 1.0679'],
  [4, 0.9, '0.270685 0.787753 1.969383 2.969383 2.2545 6.4244 8.1655 12.1932 6.8929 10.9165'],
] as const)
  test(`D3: M/M/${servers} at ${rho}: B, C, Wq, W, p50, p90, p95, p99, Wq95, Wq99`, (t) => {
    const load = servers * rho;
    const { response, wait, responseQuantile, waitQuantile } = mmc(servers, rho);
    const quantiles = [...[0.5, 0.9, 0.95, 0.99].map(responseQuantile), ...[0.95, 0.99].map(waitQuantile)];
    reads(t, [erlangB(servers, load), erlangC(servers, load), wait, response, ...quantiles], printed);
  });

test('D3 worked: 4 workers, 320/s of 10 ms: Wq, W, p95, p99 in ms; L, Lq, P0; and 4 separate queues', (t) => {
  const { response, wait, inSystem, inQueue, responseQuantile } = mmc(4, 0.8);
  const milliseconds = [wait, response, responseQuantile(0.95), responseQuantile(0.99)].map((units) => units * 10);
  reads(t, milliseconds, '7.4554 17.4554 47.380 68.932');
  reads(t, [inSystem, inQueue, idle(4, 0.8)], '5.5857 2.3857 0.027303');
  reads(t, [response, mm1(0.8).response], '1.7455 5.0000');
});

// The sheet rounds the last loss twice, to 0.192587; it is 0.1925864951.
for (const [rho, size, printed] of [
  [0.8, 5, '0.271056 0.088819 1.868332 0.728944 2.563065 1.563065'],
  [0.8, 10, '0.218794 0.023493 2.966314 0.781206 3.797098 2.797098'],
  [1, 5, '0.166667 0.166667 2.500000 0.833333 3.000000 2.000000'],
  [1.2, 10, '0.031104 0.192586 6.710709 0.968896 6.926138 5.926138'],
] as const)
  test(`D4: M/M/1/${size} at ${rho}: P0, loss, L, throughput, W, Wq`, (t) => {
    const { empty, lost, inSystem, throughput, response, wait } = mm1k(rho, size);
    reads(t, [empty, lost, inSystem, throughput, response, wait], printed);
  });

test('D5: M/G/1 at 0.8 with cs2 of 0, 0.25, 1 and 4, and at 0.7 with lognormal service of sigma 1', (t) => {
  reads(
    t,
    [0, 0.25, 1, 4].map((cs2) => mg1Wait(0.8, cs2)),
    '2.0 2.5 4 10',
  );
  const wait = mg1Wait(0.7, Math.E - 1);
  reads(t, [Math.E - 1, wait, wait + 1, 0.7 * (wait + 1)], '1.718282 3.171329 4.171329 2.919930');
});

test('D6: M/D/1 at 0.5 and 0.8: mean wait, its quantiles, and who does not wait', (t) => {
  const row = (rho: number, ...ps: number[]) => [
    mg1Wait(rho, 0),
    ...ps.map((p) => md1WaitQuantile(rho, p)),
    md1WaitBelow(rho, 0),
  ];
  reads(t, row(0.5, 0.9, 0.95, 0.99), '0.5 1.515745 2.050638 3.336256 0.5');
  reads(t, row(0.8, 0.5, 0.9, 0.95, 0.99), '2.0 1.275940 5.011511 6.620325 10.355887 0.2');
});

test('D7: processor sharing at 0.8 answers in 5, a tenth in 0.5, twice the mean in 10, and holds 4', (t) => {
  reads(
    t,
    [sharedResponse(0.8), sharedResponse(0.8, 0.1), sharedResponse(0.8, 2), 0.8 * sharedResponse(0.8)],
    '5.0 0.5 10 4.0',
  );
});

test('D8: the network of G, A and B with feedback answers in 0.418939 s; three in tandem are Erlang-3', (t) => {
  const { rates, loads, inSystem, response } = jackson([
    { gamma: 10, mu: 25, next: { 1: 1 } },
    { gamma: 0, mu: 20, next: { 2: 0.5 } },
    { gamma: 0, mu: 8, next: { 1: 0.2 } },
  ]);
  reads(t, rates, '10 11.1111 5.5556');
  reads(t, loads, '0.4 0.555556 0.694444');
  reads(t, [...inSystem, inSystem.reduce((all, one) => all + one)], '0.666667 1.25 2.272727 4.189394');
  reads(t, [response], '0.418939');
  reads(t, [3 / 2, gammaQuantile(0.95, 3, 2), gammaQuantile(0.99, 3, 2)], '1.5 3.147897 4.202973');
});

for (const [rho, longest, random, two] of [
  [0.5, '0.5 0.125 0.0078125 0.0000305', '2.0000', '1.265686'],
  [0.7, '0.7 0.343 0.082354 0.004748 0.000016', '3.3333', '1.614454'],
  [0.8, '0.8 0.512 0.209715 0.035184 0.000990', '5.0000', '1.947363'],
  [0.9, '0.9 0.729 0.478297 0.205891 0.038152', '10.0000', '2.614057'],
  [0.95, '0.95 0.857375 0.698337 0.463291 0.203907', '20.0000', '3.383046'],
  [0.99, '0.99 0.970299 0.932065 0.860058 0.732303', '100.0000', '5.431997'],
] as const)
  test(`D9: two choices at ${rho}: s1 to s5, and W of one and of two choices`, (t) => {
    const { atLeast, response } = powerOfChoices(rho, 2);
    reads(
      t,
      longest.split(' ').map((_, i) => atLeast(i + 1)),
      longest,
    );
    reads(t, [powerOfChoices(rho, 1).response, response], `${random} ${two}`);
  });

test('D9: three choices at 0.9 answer in 2.027856', (t) => reads(t, [powerOfChoices(0.9, 3).response], '2.027856'));

test("D9: two servers exactly, at 0.5 and 0.8: Envoy's two draws, the shorter queue, and chance", (t) => {
  reads(
    t,
    [0.5, 0.8].map((rho) => twoServers(rho, 3 / 4)),
    '1.596561 3.267946',
  );
  reads(
    t,
    [0.5, 0.8].map((rho) => twoServers(rho, 1)),
    '1.426321 2.955737',
  );
  reads(
    t,
    [0.5, 0.8].map((rho) => mm1(rho).response),
    '2.0 5.0',
  );
});

for (const [servers, rho, printed] of [
  [2, 0.8, '0.739853 3.843980'],
  [4, 0.8, '0.693945 3.267384'],
  [10, 0.8, '0.657800 2.922269'],
  [4, 0.5, '0.301931 1.432523'],
] as const)
  test(`D10: round robin over ${servers} at ${rho}: sigma and W; p95 and p99 of an exponential`, (t) => {
    const { sigma, response } = roundRobin(servers, rho);
    reads(t, [sigma, response], printed);
    reads(t, [-Math.log(0.05), -Math.log(0.01)], '2.995732 4.605170');
  });
