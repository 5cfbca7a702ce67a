import test from 'ava';
import { parseScenario } from '../../scenarios/load.js';
import { simulate } from '../../sim/index.js';
import { linesOf, load, small } from './fixtures.js';

const RULE = `    objects:
      - apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: checkout-rule}
        spec: {host: checkout, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 0}}}
`;

const withMesh = (mesh: string, objects = ''): string => small(['  mesh:\n', `  mesh:\n${mesh}`], [RULE, objects]);

const WAYPOINT = `    routing: ambient
    waypoints:
      - {name: way, services: [ledger]}
`;

test('a waypoint has the pods that Istio gives it, and the CPU that 1.24 has published', (t) => {
  const { services, mesh } = load(withMesh(WAYPOINT));
  t.deepEqual(mesh.routing, { kind: 'ambient', connectionsPerCaller: null, maxAgeUs: null });
  const [checkout, ledger, way] = services;
  t.is(checkout!.waypoint, null);
  t.deepEqual(ledger!.waypoint, { service: 2, firstEndpoint: 0, ingress: false });
  t.is(way!.name, 'way');
  t.is(way!.workers, 2);
  t.false(way!.holdsWorkerWhileCalling);
  t.deepEqual(way!.requests, { cpuMillicores: 100, memoryBytes: 128 * 1024 * 1024 });
  t.deepEqual(way!.limits, { cpuMillicores: 2000, memoryBytes: 1024 * 1024 * 1024 });
  const half = { kind: 'cpu', demand: { kind: 'constant', mean: 125 } } as const;
  t.deepEqual(way!.endpoints, [
    {
      ...ledger!.endpoints[0]!,
      name: 'ledger/append',
      steps: [
        half,
        { kind: 'call', calls: [{ service: 1, endpoint: 0, probability: 1, count: 1 }], repeat: 'sequential' },
        half,
      ],
    },
  ]);
});

test('in an ambient mesh Istiod pushes', (t) => {
  t.deepEqual(load(withMesh('    routing: ambient\n')).mesh.debounce, { quietUs: 100_000, maxUs: 10_000_000 });
});

test('a waypoint is scaled, hit by faults and checked by name like a service', (t) => {
  const scenario = load(
    small(
      ['  mesh:\n', `  mesh:\n${WAYPOINT}`],
      [RULE, ''],
      ['  faults:\n', '  faults:\n    - {podCrash: {service: way}, at: 10s}\n'],
      ['  policies:\n', '  policies:\n    first: {hpa: {way: {min: 1, max: 3, targetCpu: 50%}}}\n'],
    ),
  );
  t.is(scenario.policies[0]!.hpas[0]!.service, 2);
  const short = { ...scenario, run: { ...scenario.run, durationUs: 60e6, warmUpUs: 0 } };
  const { edges } = simulate(short, { policy: 0, seed: 1 });
  t.deepEqual(
    edges.map(({ source, destination, via }) => `${source} ${destination} ${via}`),
    ['gateway checkout undefined', 'checkout ledger way', 'way ledger undefined'],
  );
});

test('whatever does not fit together is told', (t) => {
  const lines = linesOf(
    withMesh(`    routing: ambient
    waypoints:
      - {name: checkout, services: [ledger, leger], ingress: [leder]}
      - {name: way, services: [ledger], replicas: {r9/a: 1}}
`),
  ).join('\n');
  t.regex(lines, /the name "checkout" is declared twice/);
  t.regex(lines, /unknown service "leger"/);
  t.regex(lines, /unknown service of the waypoint "leder"/);
  t.regex(lines, /"ledger" is behind the waypoint "checkout" already/);
  t.regex(lines, /unknown zone "r9\/a"/);
  t.regex(linesOf(withMesh(WAYPOINT.replace('ambient', 'istio'))).join('\n'), /waypoints are of an ambient mesh/);
  t.regex(
    linesOf(withMesh('    routing: ambient\n    proxy: {mode: sidecar}\n')).join('\n'),
    /sidecars without a mesh of sidecars/,
  );
});

test('rules of a service without a waypoint are told to have no effect', (t) => {
  const noticesOf = (mesh: string): string[] => {
    const loaded = parseScenario(withMesh(mesh, RULE), 'small.yaml');
    if (!('scenario' in loaded)) throw new Error('refused');
    return loaded.scenario.notices.map(({ message }) => message);
  };
  t.true(noticesOf(WAYPOINT).includes('checkout has no waypoint: only the gateways apply this'));
  t.true(noticesOf('    routing: ambient\n').includes('checkout has no waypoint: only the gateways apply this'));
  t.false(noticesOf(WAYPOINT.replace('ledger', 'checkout')).some((message) => message.includes('has no waypoint')));
});

test('a waypoint counts in what is offered', (t) => {
  const loaded = parseScenario(withMesh(WAYPOINT.replace('[ledger]', '[ledger], cpuPerRequest: 30ms')), 'small.yaml');
  if (!('scenario' in loaded)) throw new Error('refused');
  // 100 requests a second, half of which make two calls: 100 x 30 ms on two workers.
  t.true(
    loaded.scenario.notices.some(({ message }) =>
      /^way is saturated: 100.0 requests\/s .* 3.0 of 2 workers/.test(message),
    ),
  );
});
