/** External services, queues and ServiceEntries in a file: what is loaded, and what is refused. */
import test from 'ava';
import { linesOf, load, small, unmarked } from './fixtures.js';

const DB = '{name: db, host: db.example.com, protocol: tcp, zones: [r1/a], endpoints: [{name: query, wait: 4ms}]}';
const API =
  '{name: api, outside: {roundTrip: 20ms}, endpoints: [{name: get, wait: {exponential: 50ms}, requestBytes: 1kB}]}';
const QUEUE = '{name: orders, zone: r1/b, ack: 2ms, consumers: [{endpoint: ledger/append}]}';

/** The small scenario whose endpoint `show` has these steps, with what stands beside it. */
function scenario(parts: { externals?: string; queues?: string; steps?: string; objects?: string }): string {
  return small(
    ['{name: show, cpu: 1ms}', `{name: show, cpu: 1ms, steps: [${parts.steps ?? ''}]}`],
    [
      '  mesh:\n    objects:\n',
      `  externals: [${parts.externals ?? ''}]\n  queues: [${parts.queues ?? ''}]\n  mesh:\n    objects:\n${parts.objects ?? ''}`,
    ],
  );
}

const finds = test.macro((t, marked: string, ...expected: readonly string[]) => {
  const { text, places } = unmarked(marked);
  t.deepEqual(
    linesOf(text),
    expected.map((message, index) => `${places[index]} ${message}`),
  );
});

test('what is external is a service without pods, after those that have some; queues come last', (t) => {
  const { services } = load(
    scenario({ externals: `${DB}, ${API}`, queues: QUEUE, steps: '{call: db}, {call: api/get}, {publish: orders}' }),
  );
  t.deepEqual(
    services.map(({ name, replicas }) => [name, replicas]),
    [
      ['checkout', 4],
      ['ledger', 2],
      ['db', 1],
      ['api', 1],
      ['orders', 1],
    ],
  );
  const [, , db, api, orders] = services;
  t.like(db!.external, { host: 'db.example.com', perZone: [1, 0], protocol: 'tcp', connectionsPerCaller: null });
  t.like(api!.external, { host: 'api', perZone: null, roundTripUs: 20_000, protocol: 'http' });
  t.like(orders!.external, { perZone: [0, 1] });
  // Two places a pod, the workers of ledger.
  t.deepEqual(orders!.external!.queue, {
    maxLength: null,
    consumers: [{ service: 1, endpoint: 0, concurrency: 2 }],
    attempts: 20,
    redeliveryDelayUs: 0,
    visibilityTimeoutUs: 0,
  });
  t.deepEqual(
    services[0]!.endpoints[1]!.steps.slice(1).map((step) => step.kind === 'call' && step.calls[0]!.service),
    [2, 3, 4],
  );
});

test('a queue without a place has a node of its broker in each zone', (t) => {
  const { services } = load(scenario({ queues: QUEUE.replace('zone: r1/b, ', '') }));
  t.deepEqual(services.at(-1)!.external!.perZone, [1, 1]);
});

const entry = (spec: string): string =>
  `      - {apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: db}, spec: ${spec}}\n`;
const HTTP_API = API.replace('name: api,', 'name: api, host: api.example.com,');
const PORTS = 'ports: [{number: 5432, name: pg, protocol: TCP}], resolution: DNS';

test('rules find an external by its host', (t) => {
  const rule = (kind: string, spec: string): string =>
    `      - {apiVersion: networking.istio.io/v1, kind: ${kind}, metadata: {name: api}, spec: ${spec}}\n`;
  const { mesh, notices } = load(
    scenario({
      externals: `${DB}, ${HTTP_API}`,
      objects:
        entry(`{hosts: [db.example.com], ${PORTS}}`) +
        rule('DestinationRule', '{host: api.example.com, trafficPolicy: {outlierDetection: {interval: 5s}}}') +
        rule(
          'VirtualService',
          '{hosts: [api.example.com], http: [{timeout: 1s, route: [{destination: {host: api.example.com}}]}]}',
        ),
    }),
  );
  t.deepEqual(
    mesh.destinationRules.map(({ service }) => service),
    [3, 0],
  );
  t.deepEqual(
    mesh.virtualServices.map(({ service }) => service),
    [3],
  );
  t.deepEqual(notices, []);
});

test('rules of HTTP for an external of TCP are announced', (t) => {
  const objects = `      - {apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: db}, spec: {host: db.example.com, trafficPolicy: {outlierDetection: {interval: 5s}, connectionPool: {http: {maxRetries: 1}}}}}\n`;
  const { notices } = load(scenario({ externals: DB, objects }));
  t.deepEqual(
    notices.map(({ code }) => code),
    ['WT0504', 'WT0502'],
  );
});

test(
  'an external needs one place, and a zone that is there',
  finds,
  scenario({
    externals: `{name: ¦db, endpoints: [{name: query, wait: 4ms}]}, ${DB.replace('r1/a', '¦r1/z').replace('name: db, host: db.example.com', 'name: other')}`,
  }),
  'WT0207 spec.externals[0].name: says not where it stands',
  'WT0303 spec.externals[1].zones[0]: unknown zone "r1/z"',
);
test(
  'names are unique over services, externals and queues',
  finds,
  scenario({
    externals: DB.replace('name: db', 'name: ¦ledger'),
    queues: QUEUE.replace('name: orders', 'name: ¦checkout'),
  }),
  'WT0305 spec.externals[0].name: the name "ledger" is declared twice',
  'WT0305 spec.queues[0].name: the name "checkout" is declared twice',
);
test(
  'HTTP has no pool of its callers',
  finds,
  scenario({ externals: API.replace('endpoints', 'connectionsPerCaller: ¦4, endpoints') }),
  'WT0207 spec.externals[0].connectionsPerCaller: the connections of HTTP are those of the proxies',
);
test(
  'a queue is published to, and what is called is no queue',
  finds,
  scenario({ queues: QUEUE, steps: '{publish: ¦order}, {call: ¦orders}' }),
  'WT0315 spec.services[0].endpoints[1].steps[0].publish: unknown queue "order"',
  'WT0301 spec.services[0].endpoints[1].steps[1].call: unknown service "orders"',
);
test(
  'a service consumes from a queue once',
  finds,
  scenario({
    queues: QUEUE.replace('[{endpoint: ledger/append}]', '[{endpoint: ledger/append}, {endpoint: ¦ledger}]'),
  }),
  'WT0305 spec.queues[0].consumers[1].endpoint: "ledger" consumes from this queue already',
);
test(
  'messages that lead back to their queue never end',
  finds,
  scenario({ queues: QUEUE.replace('ledger/append', '¦checkout/show'), steps: '{publish: orders}' }),
  'WT0306 spec.queues[0].consumers[0].endpoint: the calls form a circle: checkout/show -> orders -> checkout/show',
);
test(
  'a ServiceEntry needs an external with its host, and the protocol that this one has',
  finds,
  scenario({
    externals: DB,
    objects:
      entry(`{hosts: [¦other.example.com], ${PORTS}}`) +
      entry(`{hosts: [db.example.com], ports: ¦[{number: 80, name: web, protocol: HTTP}], resolution: DNS}`),
  }),
  'WT0402 spec.mesh.objects[0].spec.hosts[0]: the host is none of the externals',
  'WT0401 spec.mesh.objects[1].spec.ports: proxies see these ports as http, and the external "db" is tcp',
);
test(
  'what Istio refuses in a ServiceEntry is refused',
  finds,
  scenario({
    externals: DB,
    objects: entry(
      '{hosts: [db.example.com], resolution: ¦MAYBE, endpoints: [], ports: [{number: ¦0, name: a, protocol: ¦SMTP}]}',
    ),
  }),
  'WT0401 spec.mesh.objects[0].spec.resolution: none of the words',
  'WT0401 spec.mesh.objects[0].spec.ports[0].number: not a port',
  'WT0401 spec.mesh.objects[0].spec.ports[0].protocol: no protocol of Istio',
);

test('an external fails, but has no container that crashes', (t) => {
  const faults = (fault: string): string => scenario({ externals: DB }).replace('zoneOutage: r1/a}', `${fault}}`);
  t.is(load(faults('serviceFailure: {service: db, share: 10%}')).faults.length, 1);
  t.regex(linesOf(faults('crashLoop: {service: db, every: 30s}'))[0]!, /WT0301 .*unknown service "db"/);
});

test('an autoscaler may look at a queue', (t) => {
  const metric = (labels: string, name = 'queue_length'): string =>
    scenario({ queues: QUEUE }).replace(
      '{max: 8}',
      `{max: 8, metrics: [{type: External, external: {metric: {name: ${name}, selector: {matchLabels: {${labels}}}}, target: {type: AverageValue, averageValue: 30}}}]}`,
    );
  t.deepEqual(load(metric('queue: orders')).policies[1]!.hpas[0]!.metrics, [
    { type: 'External', figure: 'queue_length', service: 2, target: { averageAmount: 30_000 } },
  ]);
  t.regex(linesOf(metric('queue: others'))[0]!, /WT0315 .*unknown queue "others"/);
  t.regex(linesOf(metric('queue: orders', 'requests_per_second'))[0]!, /WT0207 .*of a queue its length is known/);
});

test('gates speak of queues by their name', (t) => {
  const gate = (text: string): string => `${scenario({ queues: QUEUE })}  expectations: ['${text}']\n`;
  t.is(load(gate('p95(queueTime{queue="orders"}) < 2s')).expectations.length, 1);
  t.regex(linesOf(gate('max(queueLength) < 10'))[0]!, /queueLength needs a queue/);
  t.regex(linesOf(gate('max(queueLength{queue="other"}) < 10'))[0]!, /unknown queue "other"/);
});
