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

test('changes reach kube-proxy after one delay, and sidecars by pushes, unless the file says one delay', (t) => {
  const propagation = (...changes: (readonly [string, string])[]) => {
    const { propagationUs, debounce } = load(small(...changes)).mesh;
    return [propagationUs, debounce];
  };
  const mesh = (text: string) => propagation(['    objects:\n', `    ${text}\n    objects:\n`]);
  t.deepEqual(propagation([NO_OBJECTS, '    routing: kubeProxy\n']), [200_000, null]);
  t.deepEqual(propagation(), [100_000, { quietUs: 100_000, maxUs: 10e6 }]);
  t.deepEqual(mesh('propagation: 3s'), [3e6, null]);
  t.deepEqual(mesh('propagation: {push: 1s}'), [1e6, { quietUs: 100_000, maxUs: 10e6 }]);
  t.deepEqual(mesh('propagation: {debounce: {quiet: 50ms, max: 1s}, push: 0s}'), [0, { quietUs: 50_000, maxUs: 1e6 }]);
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
  'pushes without a mesh are refused',
  refused,
  small([NO_OBJECTS, '    routing: kubeProxy\n    propagation: ¦{push: 1s}\n']),
  'WT0401 spec.mesh.propagation: without a mesh there is no Istiod that pushes',
);
test(
  'a distribution that Kubernetes does not know is refused',
  refused,
  small(['    - name: ledger\n', '    - name: ledger\n      trafficDistribution: ¦PreferSomewhere\n']),
  'WT0206 spec.services[1].trafficDistribution: not an allowed word',
);

test('a distribution before its release is taken, and said to do nothing', (t) => {
  const text = (release: string) =>
    small(
      [NO_OBJECTS, '    routing: kubeProxy\n'],
      ['    - name: ledger\n', '    - name: ledger\n      trafficDistribution: PreferSameNode\n'],
      ['  services:\n', `  compat: {kubernetes: "${release}"}\n  services:\n`],
    );
  t.is(load(text('1.34')).services[1]!.trafficDistribution, 'PreferSameNode');
  const messages = (release: string) => load(text(release)).notices.map(({ code, message }) => `${code} ${message}`);
  t.deepEqual(messages('1.34'), []);
  t.deepEqual(messages('1.33'), ['WT0502 PreferSameNode is read from Kubernetes 1.34 on: any pod is chosen']);
});

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
