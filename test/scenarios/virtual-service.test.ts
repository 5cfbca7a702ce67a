/** VirtualServices: what Istio refuses is refused with its place, what is left out is said. */
import test from 'ava';
import { linesOf, load, small, unmarked } from './fixtures.js';

const OBJECT = 'spec.mesh.objects[1]';

const ROUTES = '[{route: [{destination: {host: checkout}}]}]';

/** The small scenario with a VirtualService for checkout. */
function withRoutes(http: string, hosts = '[checkout]'): string {
  return small([
    '  load:\n',
    `      - apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: checkout-routes}
        spec: {hosts: ${hosts}, http: ${http}}
  load:
`,
  ]);
}

/** One route to checkout with more keys. */
const withRoute = (keys: string): string => withRoutes(`[{route: [{destination: {host: checkout}}], ${keys}}]`);

const finds = test.macro((t, marked: string, ...expected: readonly string[]) => {
  const { text, places } = unmarked(marked);
  t.deepEqual(
    linesOf(text),
    expected.map((message, index) => `${places[index]} ${message}`),
  );
});

const accepts = test.macro((t, text: string, ...notices: readonly string[]) => {
  t.deepEqual(
    load(text).notices.map((notice) => `${notice.code} ${notice.message}`),
    notices,
  );
});

test('routes, time-outs, retries and faults are taken without a notice, and kept', (t) => {
  const scenario = load(
    withRoute(
      'timeout: 2s, retries: {attempts: 3, perTryTimeout: 500ms, retryOn: "5xx,reset,503"}, fault: {delay: {percentage: {value: 5}, fixedDelay: 1s}, abort: {percentage: {value: 0.1}, httpStatus: 503}}',
    ),
  );
  t.deepEqual(scenario.notices, []);
  t.deepEqual(
    scenario.mesh.virtualServices.map(({ service, object }) => [service, object.metadata.name]),
    [[0, 'checkout-routes']],
  );
});

test(
  'a host that no service has',
  finds,
  withRoutes(ROUTES, '[¦chekout]'),
  `WT0402 ${OBJECT}.spec.hosts[0]: the host is none of the services`,
);
test(
  'without hosts it is for others to delegate to, and said to do nothing',
  accepts,
  withRoutes(ROUTES, '[]'),
  'WT0504 a VirtualService without hosts routes nothing by itself',
);
test(
  'a destination that no service has',
  finds,
  withRoutes('[{route: [{destination: {host: ¦payments}}]}]'),
  `WT0402 ${OBJECT}.spec.http[0].route[0].destination.host: the host is none of the services`,
);
test(
  'a route to nowhere',
  finds,
  withRoutes('[¦{timeout: 1s}]'),
  `WT0401 ${OBJECT}.spec.http[0]: a route needs destinations`,
);
test(
  'weights that sum to 0',
  finds,
  withRoutes('[{route: ¦[{destination: {host: checkout}, weight: 0}, {destination: {host: ledger}, weight: 0}]}]'),
  `WT0401 ${OBJECT}.spec.http[0].route: the weights sum to 0`,
);
test(
  'a weight below 0',
  finds,
  withRoutes('[{route: [{destination: {host: checkout}, weight: ¦-1}]}]'),
  `WT0401 ${OBJECT}.spec.http[0].route[0].weight: not a weight`,
);
test(
  'a service with other endpoints cannot stand in',
  finds,
  small(
    [
      '        - {name: append, cpu: {exponential: 5ms}}\n',
      '        - {name: append, cpu: {exponential: 5ms}}\n        - {name: read, cpu: 1ms}\n',
    ],
    [
      '  load:\n',
      `      - apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: checkout-routes}
        spec: {hosts: [checkout], http: [{route: [{destination: {host: ¦ledger}}]}]}
  load:
`,
    ],
  ),
  `WT0302 ${OBJECT}.spec.http[0].route[0].destination.host: ledger has no endpoint pay, show, which would be routed to it`,
);
test(
  'a duration that is none',
  finds,
  withRoute('timeout: ¦soon'),
  `WT0401 ${OBJECT}.spec.http[0].timeout: not a duration`,
);
test(
  'a per-try time-out below a millisecond',
  finds,
  withRoute('retries: {attempts: 1, perTryTimeout: ¦10us}'),
  `WT0401 ${OBJECT}.spec.http[0].retries.perTryTimeout: below a millisecond`,
);
test(
  'retries switched off and set at once',
  finds,
  withRoute('retries: ¦{attempts: 0, retryOn: 5xx}'),
  `WT0401 ${OBJECT}.spec.http[0].retries: Istio refuses retryOn where attempts are 0`,
);
test(
  'a retry condition that Envoy does not know',
  finds,
  withRoute('retries: {attempts: 1, retryOn: ¦"5xx,timeouts"}'),
  `WT0401 ${OBJECT}.spec.http[0].retries.retryOn: no retry condition "timeouts"`,
);
test(
  'a percentage above 100',
  finds,
  withRoute('fault: {abort: {percentage: {value: ¦101}, httpStatus: 500}}'),
  `WT0401 ${OBJECT}.spec.http[0].fault.abort.percentage.value: not a percentage`,
);
test(
  'an unknown key',
  finds,
  withRoute('¦timeOut: 1s'),
  `WT0201 ${OBJECT}.spec.http[0].timeOut: unknown key "timeOut"`,
);
test(
  'two VirtualServices for one host',
  finds,
  small([
    '  load:\n',
    `      - {apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: one}, spec: {hosts: [checkout], http: ${ROUTES}}}
      - {apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: two}, spec: {hosts: ¦[checkout], http: ${ROUTES}}}
  load:
`,
  ]),
  'WT0403 spec.mesh.objects[2].spec.hosts: the VirtualService "one" speaks of "checkout" already',
);
test(
  'a fault without percentage is said to inject nothing',
  accepts,
  withRoute('fault: {abort: {httpStatus: 500}}'),
  'WT0504 abort without percentage injects nothing',
);
test(
  'a match on the authority is said never to hold, and a subset that no rule has to be answered by the proxy',
  accepts,
  withRoutes('[{match: [{authority: {exact: me}}], route: [{destination: {host: checkout, subset: v2}}]}]'),
  'WT0502 authority of a VirtualService is not simulated yet: so this match never holds',
  'WT0504 no DestinationRule of checkout has a subset "v2": answered with 503 (NC)',
);
test(
  'matches on headers are followed, on methods and queries for users alone, on claims of tokens never',
  accepts,
  withRoutes(
    '[{match: [{headers: {x-canary: {exact: "1"}, a: {}}, withoutHeaders: {b: {regex: "*"}}, method: {exact: PUT}, queryParams: {q: {prefix: a}}},' +
      ' {headers: {"@request.auth.claims.sub": {exact: a}}}], route: [{destination: {host: checkout}}]}]',
  ),
  "WT0502 method is known of users' requests only: for calls between services this match never holds",
  "WT0502 queryParams is known of users' requests only: for calls between services this match never holds",
  'WT0502 no request has @request.auth.claims.sub here: this match never holds',
);
test(
  'a match of gateways on methods needs no word',
  accepts,
  withRoutes('[{match: [{method: {exact: PUT}, gateways: [shop]}], route: [{destination: {host: checkout}}]}]'),
);
test(
  'a route behind one that takes everything is said to be unused',
  accepts,
  withRoutes('[{route: [{destination: {host: checkout}}]}, {route: [{destination: {host: checkout}}]}]'),
  'WT0504 the route before takes everything: this one is never used',
);
test(
  'a percentage that Envoy would round to 0',
  finds,
  withRoute('fault: {abort: {percentage: {value: ¦0.00001}, httpStatus: 500}}'),
  `WT0401 ${OBJECT}.spec.http[0].fault.abort.percentage.value: not a percentage`,
);
test(
  'a pattern that RE2 does not take',
  finds,
  withRoute('match: [{uri: {regex: ¦"/(?!pay).*"}}]'),
  `WT0401 ${OBJECT}.spec.http[0].match[0].uri.regex: not a regular expression`,
);
test(
  'a VirtualService without routes is refused, as Istio does',
  finds,
  withRoutes('¦[]'),
  `WT0401 ${OBJECT}.spec.http: Istio refuses a VirtualService without routes`,
);
test(
  'a fault with neither delay nor abort is refused, as Istio does',
  finds,
  withRoute('fault: ¦{}'),
  `WT0401 ${OBJECT}.spec.http[0].fault: a fault that injects nothing`,
);

test(
  'redirects and direct responses are taken; that nobody follows a redirect is said',
  accepts,
  withRoutes('[{redirect: {uri: /new}, match: [{uri: {prefix: /old}}]}, {directResponse: {status: 404}}]'),
  'WT0504 the call ends with the redirect: nobody follows it',
);
test(
  'mistakes in redirects and direct responses are found',
  finds,
  withRoutes(
    '[{redirect: ¦{redirectCode: ¦200}, ¦fault: {abort: {httpStatus: 500, percentage: {value: 1}}}, match: [{uri: {prefix: /a}}]}, {directResponse: {status: ¦99}, match: [{uri: {prefix: /b}}]}, {directResponse: ¦{}}]',
  ),
  `WT0401 ${OBJECT}.spec.http[0].redirect: a redirect to the same place`,
  `WT0401 ${OBJECT}.spec.http[0].redirect.redirectCode: not a code of a redirect`,
  `WT0401 ${OBJECT}.spec.http[0].fault: Istio refuses fault beside redirect`,
  `WT0401 ${OBJECT}.spec.http[1].directResponse.status: not a status`,
  `WT0401 ${OBJECT}.spec.http[2].directResponse: not a status`,
);
test(
  'a status that gRPC does not know is refused',
  finds,
  withRoute('fault: {abort: {percentage: {value: 1}, grpcStatus: ¦UNAVAILBLE}}'),
  `WT0401 ${OBJECT}.spec.http[0].fault.abort.grpcStatus: not a status of gRPC`,
);
test(
  'an object of gateways may stand beside one of the mesh, and a host of gateways that is no service is said',
  accepts,
  withRoutes(`${ROUTES}, gateways: [mesh]`).replace(
    '  load:\n',
    `      - apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop}
        spec: {hosts: [checkout, shop.example.com], gateways: [shop], http: ${ROUTES}}
  load:
`,
  ),
  'WT0502 a host of gateways that is no service is left out: loads call services',
);
test(
  'two objects that both speak of gateways and host are refused',
  finds,
  withRoutes(ROUTES).replace(
    '  load:\n',
    `      - apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop}
        spec: {hosts: ¦[checkout], gateways: [shop], http: ${ROUTES}}
  load:
`,
  ),
  'WT0403 spec.mesh.objects[2].spec.hosts: the VirtualService "checkout-routes" speaks of "checkout" already',
);
