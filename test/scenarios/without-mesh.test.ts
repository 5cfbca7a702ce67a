import test from 'ava';
import { linesOf, load, small, unmarked } from './fixtures.js';

const NO_OBJECTS = `    objects:
      - apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: checkout-rule}
        spec: {host: checkout, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 0}}}
`;

test('a cluster without a mesh is loaded with its connections', (t) => {
  const text = small([NO_OBJECTS, '    routing: kubeProxy\n    connections: {perCaller: 2, maxAge: 30m}\n']);
  t.deepEqual(load(text).mesh.routing, { kind: 'kubeProxy', connectionsPerCaller: 2, maxAgeUs: 1800e6 });
});

test('by default sidecars choose, and Services say nothing of topology', (t) => {
  const { mesh, services } = load(small());
  t.deepEqual(mesh.routing, { kind: 'istio' });
  t.deepEqual([services[0]!.trafficDistribution, services[0]!.topologyModeAuto], [null, false]);
});

const refused = test.macro((t, marked: string, ...expected: readonly string[]) => {
  const { text, places } = unmarked(marked);
  t.deepEqual(
    linesOf(text),
    expected.map((message, index) => `${places[index]} ${message}`),
  );
});

test(
  'Istio objects without a mesh are refused',
  refused,
  small(['    objects:\n      - api', '    routing: kubeProxy\n    objects:\n      ¦- api']),
  'WT0401 spec.mesh.objects: Istio objects without a mesh',
);
test(
  'connections beside sidecars are refused',
  refused,
  small(['    objects:\n', '    ¦connections: {perCaller: 1}\n    objects:\n']),
  'WT0401 spec.mesh.connections: sidecars choose a pod for each request, whatever the connection',
);
test(
  'a distribution that Kubernetes does not know is refused',
  refused,
  small(['    - name: ledger\n', '    - name: ledger\n      trafficDistribution: ¦PreferSomewhere\n']),
  'WT0206 spec.services[1].trafficDistribution: not an allowed word',
);

test('an engine without a mesh is told that its routes do nothing', (t) => {
  const text = small(
    [NO_OBJECTS, '    routing: kubeProxy\n'],
    ['    static: {}\n', '    static: {}\n    own: {engine: {}}\n'],
  );
  t.deepEqual(
    load(text).notices.map(({ code, message }) => `${code} ${message}`),
    ['WT0504 without a mesh, the routes that the engine writes have no effect'],
  );
});
