/** Routes as the caller's proxy reads them: defaults, matches, retries, faults (SEMANTICS A16, A17). */
import test from 'ava';
import { goDurationUs } from '../../../engine/go-duration.js';
import { readHttpRoutes, routeOfRequest, type HttpRoute } from '../../../sim/mesh/httpRoutes.js';

const read = (route: Record<string, unknown>): HttpRoute => readHttpRoutes({ http: [route] }, 31)[0]!;

test('durations are those of Go: parts with units, added up', (t) => {
  for (const [text, us] of [
    ['1.5s', 1_500_000],
    ['100ms', 100_000],
    ['1m30s', 90_000_000],
    ['1h', 3_600_000_000],
    ['.5s', 500_000],
    ['0', 0],
    ['0s', 0],
    ['7', null],
    ['soon', null],
    ['1s 2s', null],
    ['', null],
    [5, null],
  ] as const)
    t.is(goDurationUs(text), us, `${text}`);
});

test('A16: without a VirtualService, two retries of what never arrived, 25 ms base, and no time-out', (t) => {
  const routes = readHttpRoutes(null, 31);
  t.is(routes.length, 1);
  const [route] = routes as [HttpRoute];
  const { destinations, timeoutUs, retries, fault, mirror } = route;
  t.true(route.matches('anything', 'anyone'));
  t.deepEqual([destinations, timeoutUs, fault, mirror], [[], 0, null, null]);
  t.deepEqual([retries.attempts, retries.perTryTimeoutUs, retries.backOffBaseUs], [2, 0, 25_000]);
  const { connectFailure, refusedStream, unavailable, cancelled, ...others } = retries.retryOn;
  t.deepEqual([connectFailure, refusedStream, unavailable, cancelled], [true, true, true, true]);
  t.deepEqual(others, { gatewayError: false, fiveXx: false, reset: false, retriable4xx: false, statusCodes: [] });
});

test('A16: 503 is a default retry condition up to Istio 1.23 only', (t) => {
  t.deepEqual(readHttpRoutes(null, 23)[0]!.retries.retryOn.statusCodes, [503]);
  t.deepEqual(readHttpRoutes(null, 24)[0]!.retries.retryOn.statusCodes, []);
});

test('A16: attempts, conditions, codes and base are read; a per-try time-out counts only below the whole', (t) => {
  const retries = { attempts: 3, perTryTimeout: '2s', retryOn: 'gateway-error, reset,429', backoff: '2s' };
  const read2 = read({ timeout: '3s', retries });
  t.deepEqual([read2.timeoutUs, read2.retries.attempts, read2.retries.backOffBaseUs], [3_000_000, 3, 2_000_000]);
  t.is(read2.retries.perTryTimeoutUs, 2_000_000);
  const { gatewayError, reset, connectFailure, statusCodes } = read2.retries.retryOn;
  t.deepEqual([gatewayError, reset, connectFailure, statusCodes], [true, true, false, [429]]);
  t.is(read({ timeout: '2s', retries }).retries.perTryTimeoutUs, 0);
  t.is(read({ retries: { attempts: 0 } }).retries.attempts, 0);
});

test('A16: a retry policy that says nothing of attempts switches retries off', (t) => {
  for (const retries of [{}, { backoff: '10ms' }, { retryIgnorePreviousHosts: true }])
    t.is(read({ retries }).retries.attempts, 0);
});

test('A17: shares are whole millionths; the old field holds where the new one is not there', (t) => {
  const delay = (share: object) => read({ fault: { delay: { fixedDelay: '1s', ...share } } }).fault!.delay!.percent;
  t.is(delay({ percentage: { value: 33.33339 } }), 33.3333);
  t.deepEqual([delay({ percent: 25 }), delay({ percent: 25, percentage: {} })], [25, 0]);
  const mirror = (share: object) => read({ mirror: { host: 'api' }, ...share }).mirror!.percent;
  t.deepEqual([mirror({}), mirror({ mirrorPercent: 40 }), mirror({ mirrorPercentage: {} })], [100, 40, 0]);
});

test('a VirtualService without a route for a caller leaves it the default one; one that matches nothing is 404', (t) => {
  const routes = readHttpRoutes({ http: [{ match: [{ sourceLabels: { app: 'shop' }, uri: { exact: '/pay' } }] }] }, 31);
  t.is(routeOfRequest(routes, 'pay', 'shop', 31), routes[0]!);
  t.is(routeOfRequest(routes, 'list', 'shop', 31), null);
  t.is(routeOfRequest(routes, 'list', 'other', 31)!.retries.attempts, 2);
});

test('A17: a gateway that an object names has nothing else, so without a route for it everything is 404', (t) => {
  const http = [{ match: [{ gateways: ['mesh'] }] }];
  t.is(routeOfRequest(readHttpRoutes({ gateways: ['mesh', 'shop'], http }, 31), 'pay', null, 31), null);
  // Where the object names none, users come in as the mesh routes.
  t.is(routeOfRequest(readHttpRoutes({ http }, 31), 'pay', null, 31)!.retries.attempts, 2);
});

test('A17: beside gateways, labels of callers are not read', (t) => {
  const match = { gateways: ['mesh'], sourceLabels: { app: 'shop' } };
  const [route] = readHttpRoutes({ http: [{ match: [match] }] }, 31);
  t.deepEqual(
    [route!.matches('pay', 'other'), route!.appliesTo('other'), route!.matches('pay', null)],
    [true, true, false],
  );
});

test('a match holds when all its conditions do; of several matches one is enough', (t) => {
  for (const [match, holds] of [
    [[], true],
    [[{ uri: { exact: '/pay' } }], true],
    [[{ uri: { exact: '/Pay' } }], false],
    [[{ uri: { exact: '/Pay' }, ignoreUriCase: true }], true],
    [[{ uri: { prefix: '/pa' } }], true],
    [[{ uri: { prefix: 'pa' } }], false],
    [[{ uri: { regex: '/p.y' } }], true],
    // Envoy's pattern must take the whole path.
    [[{ uri: { regex: '/p' } }], false],
    [[{ sourceLabels: { app: 'web' } }], true],
    [[{ sourceLabels: { app: 'shop' } }], false],
    [[{ uri: { exact: '/pay' }, sourceLabels: { app: 'shop' } }], false],
    [[{ uri: { exact: '/show' } }, { uri: { exact: '/pay' } }], true],
    [[{ headers: { user: { exact: 'me' } } }], false],
    [[{ method: { exact: 'GET' } }], false],
  ] as const)
    t.is(read({ match }).matches('pay', 'web'), holds, JSON.stringify(match));
});

test('A17: weights are kept, and one destination without weight gets everything', (t) => {
  const [v1, v2] = [{ host: 'a', subset: 'v1' }, { host: 'a' }];
  t.deepEqual(read({ route: [{ destination: v2 }] }).destinations, [{ host: 'a', subset: null, weight: 1 }]);
  const split = read({
    route: [
      { destination: v1, weight: 90 },
      { destination: v2, weight: 10 },
    ],
  });
  t.deepEqual(split.destinations, [
    { host: 'a', subset: 'v1', weight: 90 },
    { host: 'a', subset: null, weight: 10 },
  ]);
});

test('A17 worked: delay 10 % x 5 s and abort 1 % x 500; without percentage nothing is injected', (t) => {
  t.deepEqual(
    read({
      fault: {
        delay: { percentage: { value: 10 }, fixedDelay: '5s' },
        abort: { percentage: { value: 1 }, httpStatus: 500 },
      },
    }).fault,
    { delay: { percent: 10, fixedUs: 5_000_000 }, abort: { percent: 1, httpStatus: 500, grpc: false } },
  );
  t.deepEqual(read({ fault: { abort: { httpStatus: 500 } } }).fault, {
    delay: null,
    abort: { percent: 0, httpStatus: 500, grpc: false },
  });
});

test('A17: a mirror takes all unless it says how much', (t) => {
  t.deepEqual(read({ mirror: { host: 'b' } }).mirror, { host: 'b', subset: null, percent: 100 });
  t.is(read({ mirror: { host: 'b' }, mirrorPercentage: { value: 5 } }).mirror?.percent, 5);
});
