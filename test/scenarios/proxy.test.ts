import test from 'ava';
import { linesOf, load, small } from './fixtures.js';

const withProxy = (proxy: string, routing = 'istio', objects = true): string =>
  small(['  mesh:\n', `  mesh:\n    routing: ${routing}\n    proxy: ${proxy}\n`], ...(objects ? [] : WITHOUT_OBJECTS));

const WITHOUT_OBJECTS = [
  [
    `    objects:
      - apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: checkout-rule}
        spec: {host: checkout, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 0}}}
`,
    '',
  ],
] as const;

test('proxies take nothing unless the scenario says so', (t) => {
  t.is(load(small()).mesh.proxy, null);
  t.is(load(withProxy('{mode: none}')).mesh.proxy, null);
});

test('a sidecar without more has the proposed figures and the requests of Istio', (t) => {
  t.deepEqual(load(withProxy('{mode: sidecar}')).mesh.proxy, {
    mode: 'sidecar',
    fixedUs: 100,
    meanUs: 50,
    cpuUsPerRequest: 200,
    workers: 2,
    requests: { cpuMillicores: 100, memoryBytes: 128 * 1024 * 1024 },
  });
});

test('a field stands before the preset', (t) => {
  const proxy = load(withProxy('{mode: sidecar, preset: istio-1.12, mean: 0.3ms}')).mesh.proxy!;
  t.is(proxy.meanUs, 300);
  t.is(proxy.cpuUsPerRequest, 350);
});

test('ambient needs routing per connection', (t) => {
  t.regex(linesOf(withProxy('{mode: ambient}')).join('\n'), /a ztunnel balances connections, not requests/);
  t.is(load(withProxy('{mode: ambient}', 'kubeProxy', false)).mesh.proxy!.cpuUsPerRequest, 60);
  t.regex(linesOf(withProxy('{mode: sidecar}', 'kubeProxy', false)).join('\n'), /sidecars without a mesh/);
  t.regex(
    linesOf(withProxy('{mode: ambient, preset: istio-1.5}', 'kubeProxy', false)).join('\n'),
    /no figures of a ztunnel for "istio-1.5"/,
  );
});
