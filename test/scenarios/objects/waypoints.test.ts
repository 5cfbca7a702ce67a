import test from 'ava';
import { parseScenario } from '../../../scenarios/load.js';
import { importObjects, type Imported } from '../../../scenarios/objects/index.js';
import { fillIn } from './fill-in.js';

const workload = (name: string, labels: string, container: string): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {${labels}}}
  template:
    metadata: {labels: {${labels}}}
    spec:
      containers: [${container}]
`;

const service = (name: string, labels = '{}'): string => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop, labels: ${labels}}
spec: {selector: {app: ${name}}, ports: [{port: 80}]}
${workload(name, `app: ${name}`, '{name: app, image: app, resources: {requests: {cpu: 500m, memory: 256Mi}}}')}`;

const DUMP = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: shop}
spec: {defaultBackend: {service: {name: cart, port: {number: 80}}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient, istio.io/use-waypoint: way}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: way, namespace: shop, labels: {istio.io/waypoint-for: service}}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: pods, namespace: shop, labels: {istio.io/waypoint-for: workload}}
spec: {gatewayClassName: istio-waypoint}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: way, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: way}
  minReplicas: 2
  maxReplicas: 5
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]
---
apiVersion: v1
kind: Service
metadata: {name: way, namespace: shop}
spec: {selector: {gateway.networking.k8s.io/gateway-name: way}, ports: [{port: 15008}]}
${workload(
  'way',
  'gateway.networking.k8s.io/gateway-name: way',
  '{name: istio-proxy, image: istio/proxyv2:1.27.1, resources: {requests: {cpu: 200m, memory: 128Mi}, limits: {cpu: 2, memory: 1Gi}}}',
)}
${service('cart', '{istio.io/ingress-use-waypoint: "true"}')}
${service('stock')}
${service('audit', '{istio.io/use-waypoint: none}')}
`;

function imported(text: string): Imported {
  const result = importObjects([{ name: 'a.yaml', text }], { name: null, namespaces: [] });
  if ('problems' in result) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result;
}

test('Gateways of class istio-waypoint become waypoints of the services that use them', (t) => {
  const { text, refused, leftOut } = imported(DUMP);
  t.deepEqual(refused, []);
  const loaded = parseScenario(fillIn(text), 'filled.yaml');
  if ('problems' in loaded) return t.fail(loaded.problems.map(({ message }) => message).join('\n'));
  const { services, mesh, policies } = loaded.scenario;
  t.is(mesh.routing.kind, 'ambient');
  t.is(mesh.proxy!.mode, 'ambient');
  t.deepEqual(
    services.map(({ name, waypoint }) => [name, waypoint && services[waypoint.service]!.name, waypoint?.ingress]),
    [
      ['cart', 'way', true],
      ['stock', 'way', false],
      ['audit', null, undefined],
      ['way', null, undefined],
    ],
  );
  const way = services[3]!;
  t.is(way.replicas, 3);
  t.is(way.requests.cpuMillicores, 200);
  t.is(way.limits.memoryBytes, 2 ** 30);
  t.deepEqual(
    policies[0]!.hpas.map(({ service, maxReplicas, targetCpuPercent }) => [service, maxReplicas, targetCpuPercent]),
    [[3, 5, 70]],
  );
  t.deepEqual(
    leftOut.map(({ kind, name, reason }) => `${kind} ${name}: ${reason}`),
    ['Gateway pods: a waypoint for workload: only those of Services are simulated'],
  );
});

test('a waypoint without its Deployment has what Istio makes by default', (t) => {
  const bare = DUMP.split('\n---\n')
    .filter((object) => !object.includes('gateway-name: way'))
    .join('\n---\n');
  const { text } = imported(bare.replace(/\n---\napiVersion: autoscaling[\s\S]*?(?=\n---\n)/, ''));
  t.regex(
    text,
    /waypoints:\n +# Gateway shop\/way[^\n]*\n +- name: way\n +services:\n +- cart\n +- stock\n +ingress:\n +- cart\n\n/,
  );
});
