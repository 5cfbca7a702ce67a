/** DestinationRules as numbers, with Istio's defaults (SEMANTICS A12 to A15). */
import test from 'ava';
import { readClusterPolicy } from '../../../sim/mesh/clusterPolicy.js';

test("A15: without a rule there are no limits, nor with 0: Envoy's 1024 and 3 do not hold", (t) => {
  const none = readClusterPolicy(null, null);
  const zero = readClusterPolicy(
    {
      trafficPolicy: {
        connectionPool: {
          tcp: { maxConnections: 0 },
          http: { http1MaxPendingRequests: 0, http2MaxRequests: 0, maxRetries: 0, maxRequestsPerConnection: 0 },
        },
      },
    },
    null,
  );
  for (const { pool } of [none, zero])
    t.deepEqual(pool, {
      maxConnections: Infinity,
      maxPending: Infinity,
      maxRequests: Infinity,
      maxRetries: Infinity,
      maxRequestsPerConnection: Infinity,
      connectTimeoutUs: null,
      retryBudget: null,
    });
  t.deepEqual([none.algorithm, none.outlier, none.warmup], ['LEAST_REQUEST', null, null]);
});

test('A15: a retry budget is 20 % and at least 3 unless it says otherwise', (t) => {
  const budget = (retryBudget: unknown) => readClusterPolicy({ trafficPolicy: { retryBudget } }, null).pool.retryBudget;
  t.deepEqual(budget({}), { percent: 20, minRetryConcurrency: 3 });
  t.deepEqual(budget({ percent: 5, minRetryConcurrency: 1 }), { percent: 5, minRetryConcurrency: 1 });
  // 0 is unset there, for the count alone.
  t.deepEqual(budget({ percent: 0, minRetryConcurrency: 0 }), { percent: 0, minRetryConcurrency: 3 });
});

test("A12: the algorithm is the rule's; a hash is a ring unless it is Maglev", (t) => {
  for (const [loadBalancer, algorithm] of [
    [{ simple: 'RANDOM' }, 'RANDOM'],
    [{ simple: 'ROUND_ROBIN' }, 'ROUND_ROBIN'],
    [{ simple: 'UNSPECIFIED' }, 'LEAST_REQUEST'],
    [{ consistentHash: { httpHeaderName: 'user' } }, 'RING_HASH'],
    [{ consistentHash: { httpHeaderName: 'user', maglev: {} } }, 'MAGLEV'],
  ] as const)
    t.is(readClusterPolicy({ trafficPolicy: { loadBalancer } }, null).algorithm, algorithm);
});

test("A17: a subset's policy replaces the rule's field by field, for that subset only", (t) => {
  const rule = {
    trafficPolicy: { outlierDetection: { consecutive5xxErrors: 7 }, connectionPool: { tcp: { maxConnections: 10 } } },
    subsets: [{ name: 'v1', trafficPolicy: { connectionPool: { http: { maxRetries: 2 } } } }, { name: 'v2' }],
  };
  const [whole, v1, v2] = [null, 'v1', 'v2'].map((subset) => readClusterPolicy(rule, subset)) as [
    ReturnType<typeof readClusterPolicy>,
    ReturnType<typeof readClusterPolicy>,
    ReturnType<typeof readClusterPolicy>,
  ];
  t.deepEqual([whole.pool.maxConnections, whole.pool.maxRetries], [10, Infinity]);
  t.deepEqual([v1.pool.maxConnections, v1.pool.maxRetries, v1.outlier?.consecutive5xx], [Infinity, 2, 7]);
  t.deepEqual(v2, whole);
});

test('A13: a warm-up is read in its new form and its old; none of 0 s', (t) => {
  const warmup = (loadBalancer: unknown) => readClusterPolicy({ trafficPolicy: { loadBalancer } }, null).warmup;
  t.deepEqual(warmup({ warmupDurationSecs: '30s' }), { windowUs: 30_000_000, aggression: 1, minimumPercent: 10 });
  t.deepEqual(warmup({ warmup: { duration: '1m', aggression: 2, minimumPercent: { value: 5 } } }), {
    windowUs: 60_000_000,
    aggression: 2,
    minimumPercent: 5,
  });
  t.is(warmup({ warmup: { duration: '0s' } }), null);
});

test('A14: consecutiveErrors ejects nobody, and a count of local failures of 0 keeps the default of 5', (t) => {
  const outlier = (outlierDetection: object) =>
    readClusterPolicy({ trafficPolicy: { outlierDetection } }, null).outlier!;
  t.deepEqual([outlier({ consecutiveErrors: 1 }).consecutiveGateway, outlier({}).consecutive5xx], [0, 5]);
  t.is(outlier({ splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 0 }).consecutiveLocalOrigin, 5);
});
