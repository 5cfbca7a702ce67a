import test from 'ava';
import { resolveHost } from '../../scenarios/destination-rule.js';
import { linesOf, load, problemsOf, small, unmarked } from './fixtures.js';

/** The fixture's rule with another traffic policy, written at the mark. */
function withPolicy(trafficPolicy: string): string {
  return small(['trafficPolicy: {outlierDetection: {consecutive5xxErrors: 0}}', `trafficPolicy: ${trafficPolicy}`]);
}

function withLocality(setting: string): string {
  return withPolicy(`{outlierDetection: {consecutive5xxErrors: 0}, loadBalancer: {localityLbSetting: ${setting}}}`);
}

const POLICY = 'spec.mesh.objects[0].spec.trafficPolicy';
const LOCALITY = `${POLICY}.loadBalancer.localityLbSetting`;

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

test(
  'weights of 80 and 20 are taken',
  accepts,
  withLocality('{distribute: [{from: r1/a/*, to: {r1/a/*: 80, r1/b/*: 20}}]}'),
);
test(
  'weights must sum to exactly 100',
  finds,
  withLocality('{distribute: [{from: r1/a/*, to: ¦{r1/a/*: 80, r1/b/*: 19}}]}'),
  `WT0401 ${LOCALITY}.distribute[0].to: the weights sum to 99`,
);
test(
  'a weight of 0 is refused, as Istio does',
  finds,
  withLocality('{distribute: [{from: r1/a/*, to: {r1/a/*: 100, r1/b/*: ¦0}}]}'),
  `WT0401 ${LOCALITY}.distribute[0].to["r1/b/*"]: not a weight`,
);
test(
  'a weight must be whole',
  finds,
  withLocality('{distribute: [{from: r1/a/*, to: {r1/a/*: ¦99.5, r1/b/*: ¦0.5}}]}'),
  `WT0401 ${LOCALITY}.distribute[0].to["r1/a/*"]: not a weight`,
  `WT0401 ${LOCALITY}.distribute[0].to["r1/b/*"]: not a weight`,
);
test(
  'overlapping sources are refused',
  finds,
  withLocality('{distribute: [{from: r1/*, to: {r1/*: 100}}, {from: ¦r1/b/*, to: {r1/*: 100}}]}'),
  `WT0401 ${LOCALITY}.distribute[1].from: "r1/b/*" overlaps "r1/*"`,
);
test(
  'overlapping destinations are refused',
  finds,
  withLocality('{distribute: [{from: "*", to: {r1/a: 50, ¦r1/a/*: 50}}]}'),
  `WT0401 ${LOCALITY}.distribute[0].to["r1/a/*"]: "r1/a/*" overlaps "r1/a"`,
);
test(
  'a star in the middle is refused',
  finds,
  withLocality('{distribute: [{from: ¦r1/*/x, to: {r1/*: 100}}]}'),
  `WT0401 ${LOCALITY}.distribute[0].from: Istio takes one "*", and only at the end`,
);
test(
  'an empty part of a locality is refused',
  finds,
  withLocality('{distribute: [{from: ¦r1//x, to: {r1/*: 100}}]}'),
  `WT0401 ${LOCALITY}.distribute[0].from: not a locality`,
);
test(
  'distribute beside failover is refused',
  finds,
  withLocality('{distribute: [{from: r1/*, to: {r1/*: 100}}], ¦failover: [{from: r1, to: r2}]}'),
  `WT0401 ${LOCALITY}.failover: Istio refuses failover beside distribute`,
);
test(
  'failover is between plain, different regions',
  finds,
  withLocality('{failover: [{from: ¦r1/a, to: r2}, {from: r1, to: ¦r1}]}'),
  `WT0401 ${LOCALITY}.failover[0].from: not a plain region`,
  `WT0401 ${LOCALITY}.failover[1].to: a failover within one region`,
);
test(
  'failover beside a topology label in failoverPriority is refused',
  finds,
  withLocality('{failover: [{from: r1, to: r2}], failoverPriority: [app, ¦topology.kubernetes.io/zone]}'),
  `WT0401 ${LOCALITY}.failoverPriority[1]: Istio refuses a topology label in failoverPriority beside failover`,
);
test(
  'failover beside other labels is taken',
  accepts,
  withLocality('{failover: [{from: r1, to: r2}], failoverPriority: [app]}'),
  'WT0502 pods have no label "app" here',
);
test(
  'failover without outlier detection is taken, and said to do nothing',
  accepts,
  withPolicy('{loadBalancer: {localityLbSetting: {failover: [{from: r1, to: r2}]}}}'),
  'WT0504 without outlierDetection, failover and failoverPriority have no effect',
);
test(
  'a locality that matches no zone is said to do nothing',
  accepts,
  withLocality('{distribute: [{from: r1/x/*, to: {r1/a/*: 60, r2/*: 40}}]}'),
  'WT0504 "r1/x/*" matches no zone of the cluster',
  'WT0504 "r2/*" matches no zone of the cluster',
);

test(
  'a subzone that no pool has is said to do nothing',
  accepts,
  withLocality('{distribute: [{from: r1/a/s1, to: {r1/a: 60, r1/b/s2: 40}}]}'),
  'WT0504 "r1/a/s1" matches no subzone of the cluster',
  'WT0504 "r1/b/s2" matches no subzone of the cluster',
);

test('subzones of pools, and those that labels of pods state, are known', (t) => {
  const setting = '{distribute: [{from: r1/a/s1, to: {r1/b/s1: 60, r1/b/s2: 40}}]}';
  const policy = `{outlierDetection: {}, loadBalancer: {localityLbSetting: ${setting}}}`;
  const text = small(
    ['trafficPolicy: {outlierDetection: {consecutive5xxErrors: 0}}', `trafficPolicy: ${policy}`],
    ['prices: aws/us-east-1}', 'prices: aws/us-east-1, subzone: s1}'],
    ['    - name: ledger\n', '    - name: ledger\n      labels: {topology.istio.io/locality: r1.b.s2}\n'],
  );
  t.deepEqual(load(text).notices, []);
});

test(
  'a field that Istio knows and we do not simulate is announced',
  accepts,
  withPolicy(
    '{connectionPool: {tcp: {maxConnections: 1}}, portLevelSettings: [], tls: {mode: ISTIO_MUTUAL}, loadBalancer: {zoneAwareLbSetting: {}}}',
  ),
  'WT0502 portLevelSettings of a DestinationRule is not simulated yet',
  'WT0502 tls of a DestinationRule is not simulated yet',
  'WT0504 without mesh.selfDiscovery proxies do not know where their callers are: only regions are ranked',
);
test(
  'subsets are taken',
  accepts,
  small(['spec: {host: checkout,', 'spec: {host: checkout, subsets: [{name: v1, labels: {app: checkout}}],']),
);
test(
  'subsets need names that differ, and a policy that Istio takes',
  finds,
  small([
    'spec: {host: checkout,',
    'spec: {host: checkout, subsets: [¦{labels: {version: v1}}, {name: v2}, {name: ¦v2, trafficPolicy: ¦{}}],',
  ]),
  'WT0401 spec.mesh.objects[0].spec.subsets[0]: a subset without a name',
  'WT0207 spec.mesh.objects[0].spec.subsets[2].name: a second subset "v2"',
  'WT0401 spec.mesh.objects[0].spec.subsets[2].trafficPolicy: Istio refuses it empty',
);
test(
  'a field that Istio does not know is an error',
  finds,
  withPolicy('{¦outlierDetecton: {}}'),
  `WT0201 ${POLICY}.outlierDetecton: unknown key "outlierDetecton"`,
);
test('a misspelt balancer is an error', (t) => {
  const [problem] = problemsOf(withPolicy('{loadBalancer: {simple: LEAST_REQUESTS}}'));
  t.is(problem?.code, 'WT0401');
  t.is(problem?.hint, 'did you mean "LEAST_REQUEST"?');
});
test('the three balancers are taken', (t) => {
  for (const simple of ['LEAST_REQUEST', 'ROUND_ROBIN', 'RANDOM'])
    t.deepEqual(load(withPolicy(`{loadBalancer: {simple: ${simple}}}`)).notices, []);
});
test(
  'an old balancer is announced as what it becomes',
  accepts,
  withPolicy('{loadBalancer: {simple: LEAST_CONN}}'),
  'WT0502 the balancer LEAST_CONN is simulated as LEAST_REQUEST',
);
test(
  'an object of another known kind is announced',
  accepts,
  small(['kind: DestinationRule', 'kind: EnvoyFilter']),
  'WT0502 objects of kind EnvoyFilter are not simulated yet',
);
test(
  'an object of an unknown kind is an error',
  finds,
  small(['kind: DestinationRule', 'kind: ¦DestinatonRule']),
  'WT0404 spec.mesh.objects[0].kind: unknown kind "DestinatonRule"',
);
test(
  'two rules for one host are an error',
  finds,
  small([
    '  load:',
    '      - {apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: other}, spec: {host: ¦checkout.default}}\n  load:',
  ]),
  'WT0403 spec.mesh.objects[1].spec.host: the rule "checkout-rule" speaks of "checkout" already',
);
test(
  'the mesh-wide setting is held to the same rules',
  finds,
  small(['    objects:', '    localityLbSetting: {distribute: [{from: r1/a, to: ¦{r1/a: 90}}]}\n    objects:']),
  'WT0401 spec.mesh.localityLbSetting.distribute[0].to: the weights sum to 90',
);

test('a host is a short name, a name with its namespace, or the full name', (t) => {
  const services = ['cart', 'cart-db'];
  for (const host of ['cart', 'cart.shop', 'cart.shop.svc', 'cart.shop.svc.cluster.local'])
    t.is(resolveHost(host, services), 'cart', host);
  for (const host of ['car', '*.shop', 'cart.shop.svc.cluster', 'cart.', 'api.example.com.org.net', 7, undefined])
    t.is(resolveHost(host, services), null, `${host}`);
});

// SEMANTICS A14: with the default of 10 % nothing is ejected below ten endpoints; 3 endpoints at 50 % -> 1.

test(
  'limits of the connection pool are checked, and a 0 is said to keep the default',
  accepts,
  withPolicy('{connectionPool: {tcp: {maxConnections: 0}, http: {maxRetries: 3}}}'),
  "WT0504 maxConnections 0 keeps Istio's default: no limit",
);
test(
  'limits below 0 and unknown fields of the pool are errors',
  finds,
  withPolicy('{connectionPool: {tcp: {maxConnections: ¦-1}, http: {¦maxPending: 3}}}'),
  `WT0401 ${POLICY}.connectionPool.tcp.maxConnections: Istio refuses numbers below 0`,
  `WT0201 ${POLICY}.connectionPool.http.maxPending: unknown key "maxPending"`,
);
test(
  'A14: times of outlier detection are durations of at least a millisecond',
  finds,
  withPolicy('{outlierDetection: {interval: ¦soon, baseEjectionTime: ¦10us}}'),
  `WT0401 ${POLICY}.outlierDetection.interval: not a duration`,
  `WT0401 ${POLICY}.outlierDetection.baseEjectionTime: below a millisecond`,
);
test(
  'A14: a count of local failures needs them counted apart, as Istio has it',
  finds,
  withPolicy('{outlierDetection: {consecutiveLocalOriginFailures: ¦3}}'),
  `WT0401 ${POLICY}.outlierDetection.consecutiveLocalOriginFailures: Istio refuses a count of local failures that are not counted apart`,
);
test(
  'A14: local failures that are counted apart are taken',
  accepts,
  withPolicy('{outlierDetection: {splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 3}}'),
);
test(
  'A14: a share of ejected endpoints is at most 100 %',
  finds,
  withPolicy('{outlierDetection: {maxEjectionPercent: ¦101}}'),
  `WT0401 ${POLICY}.outlierDetection.maxEjectionPercent: not a percentage`,
);
test(
  'an empty traffic policy is refused, as Istio does',
  finds,
  withPolicy('¦{}'),
  `WT0401 ${POLICY}: Istio refuses it empty`,
);
test(
  'an empty connection pool is refused, as Istio does',
  finds,
  withPolicy('{connectionPool: ¦{}}'),
  `WT0401 ${POLICY}.connectionPool: Istio refuses it empty`,
);

const BALANCER = `${POLICY}.loadBalancer`;

test(
  'consistent hashing and warm-up are taken',
  accepts,
  withPolicy('{loadBalancer: {consistentHash: {httpHeaderName: user, maglev: {tableSize: 65537}}}}'),
);
test(
  'a warm-up is taken',
  accepts,
  withPolicy('{loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 60s, aggression: 2, minimumPercent: 5}}}'),
);
test(
  'two keys to hash are refused',
  finds,
  withPolicy('{loadBalancer: {consistentHash: {httpHeaderName: user, ¦useSourceIp: true}}}'),
  `WT0401 ${BALANCER}.consistentHash.useSourceIp: httpHeaderName and useSourceIp are both hashed`,
);
test(
  'a Maglev table must have a prime size, a ring a whole one, a cookie a name',
  finds,
  withPolicy('{loadBalancer: {consistentHash: {httpCookie: {name: ¦""}, maglev: {tableSize: ¦65536}}}}'),
  `WT0401 ${BALANCER}.consistentHash.httpCookie.name: a cookie without a name`,
  `WT0401 ${BALANCER}.consistentHash.maglev.tableSize: not a size that Istio takes`,
);
test(
  'a hash without a key is said to be random',
  accepts,
  withPolicy('{loadBalancer: {consistentHash: {ringHash: {minimumRingSize: 1024}}}}'),
  'WT0504 nothing is hashed, so every request goes to a random pod',
);
test(
  'a warm-up needs a duration, and an aggression above 0',
  finds,
  withPolicy('{loadBalancer: {warmup: {duration: ¦fast, aggression: ¦0}}}'),
  `WT0401 ${BALANCER}.warmup.duration: not a duration`,
  `WT0401 ${BALANCER}.warmup.aggression: not an aggression`,
);
test(
  'A14: consecutiveErrors is taken, and said to do nothing',
  accepts,
  withPolicy('{outlierDetection: {consecutiveErrors: 5}}'),
  'WT0504 consecutiveErrors has no effect: Istio reads consecutive5xxErrors and consecutiveGatewayErrors',
);
test(
  'a from that an earlier one covers is refused, one that covers an earlier one is taken',
  accepts,
  withLocality('{distribute: [{from: r1/a, to: {r1/a/*: 100}}, {from: r1/*, to: {r1/b/*: 100}}]}'),
);

const ZONE_AWARE = `${POLICY}.loadBalancer.zoneAwareLbSetting`;
const SELF_DISCOVERY: readonly [string, string] = ['  mesh:\n', '  mesh:\n    selfDiscovery: true\n'];

/** Zone-aware routing at Istio 1.31, among proxies that know their siblings. */
function withZoneAware(setting: string): string {
  const policy = `{loadBalancer: {zoneAwareLbSetting: ${setting}}}`;
  return small(SELF_DISCOVERY, [
    'trafficPolicy: {outlierDetection: {consecutive5xxErrors: 0}}',
    `trafficPolicy: ${policy}`,
  ]);
}

test(
  'zone-aware routing is taken from Istio 1.31 on',
  accepts,
  withZoneAware('{enabled: true, failover: [{from: r1, to: r2}], minClusterSize: 3}'),
);
test(
  'zone-aware routing is refused before, as kubectl apply does',
  finds,
  withZoneAware('{}')
    .replace('  mesh:', '  compat: {istio: "1.30"}\n  mesh:')
    .replace('zoneAwareLbSetting', '¦zoneAwareLbSetting'),
  `WT0201 ${ZONE_AWARE}: unknown key "zoneAwareLbSetting"`,
);
test(
  'zone-aware routing without self-discovery only ranks regions, which is announced',
  accepts,
  withZoneAware('{}').replace('selfDiscovery: true', 'selfDiscovery: false'),
  'WT0504 without mesh.selfDiscovery proxies do not know where their callers are: only regions are ranked',
);
test(
  'zoneAwareLbSetting beside localityLbSetting is refused',
  finds,
  withZoneAware('{}, localityLbSetting: {enabled: true}').replace('zoneAwareLbSetting', '¦zoneAwareLbSetting'),
  `WT0401 ${ZONE_AWARE}: Istio refuses it beside localityLbSetting`,
);
test(
  'mistakes in zoneAwareLbSetting are found',
  finds,
  withZoneAware(
    '{enabled: ¦1, failover: [{from: r1, to: ¦r1}], failoverPriority: [¦topology.kubernetes.io/zone], ¦distribute: [], minClusterSize: ¦0}',
  ),
  `WT0203 ${ZONE_AWARE}.enabled: is not true or false`,
  `WT0401 ${ZONE_AWARE}.failover[0].to: a failover within one region`,
  `WT0401 ${ZONE_AWARE}.failoverPriority[0]: Istio refuses a topology label in the failoverPriority of zoneAwareLbSetting, which ranks regions itself`,
  `WT0201 ${ZONE_AWARE}.distribute: unknown key "distribute"`,
  `WT0401 ${ZONE_AWARE}.minClusterSize: not a number of endpoints`,
);
