/**
 * Waypoints of an ambient mesh: Gateways of class istio-waypoint, the Services whose calls pass them (the label
 * `istio.io/use-waypoint`, on a Service or else on its namespace), and the Deployment that Istio keeps for each, where the
 * dump has it. What stands behind a waypoint is called through it from inside the mesh; from outside only with
 * `istio.io/ingress-use-waypoint`.
 */
import type { Problem } from '../problems.js';
import type { Path } from '../source.js';
import { fieldsOf } from './fields.js';
import type { Ledger } from './ledger.js';
import type { KubeObject } from './read.js';
import type { ImportedService } from './services.js';
import type { Workload } from './workloads.js';

export interface ImportedWaypoint {
  readonly name: string;
  readonly object: KubeObject;
  readonly services: readonly string[];
  /** Those of them that users reach through it. */
  readonly ingress: readonly string[];
  /** Null: the Deployment is not in the dump, so what Istio makes by default. */
  readonly workload: Workload | null;
  /** Cores and bytes; undefined: the default. */
  readonly resources: Readonly<Record<'requests' | 'limits', { readonly cpu?: number; readonly memory?: number }>>;
}

export interface AmbientFound {
  readonly waypoints: readonly ImportedWaypoint[];
  /** What says that the mesh is ambient; null: nothing does. */
  readonly because: string | null;
}

const LABELS: Path = ['metadata', 'labels'];
/** With it Istio marks what it deploys for a Gateway. */
const GATEWAY_LABEL = 'gateway.networking.k8s.io/gateway-name';

/** Gateways of the Gateway API that stand for waypoints. */
function waypointGateways(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects.filter(
    (object) =>
      object.kind === 'Gateway' && fieldsOf(object, []).value(['spec', 'gatewayClassName']) === 'istio-waypoint',
  );
}

/** Workloads that Istio keeps for waypoints: proxies, not services. */
export function waypointWorkloads(
  objects: readonly KubeObject[],
  workloads: readonly Workload[],
): ReadonlyMap<KubeObject, Workload> {
  return new Map(
    waypointGateways(objects).flatMap((gateway): [KubeObject, Workload][] => {
      const found = workloads.find(
        ({ namespace, podLabels }) => namespace === gateway.namespace && podLabels[GATEWAY_LABEL] === gateway.name,
      );
      return found === undefined ? [] : [[gateway, found]];
    }),
  );
}

export function readAmbient(
  objects: readonly KubeObject[],
  services: readonly ImportedService[],
  workloads: ReadonlyMap<KubeObject, Workload>,
  ledger: Ledger,
  problems: Problem[],
): AmbientFound {
  const taken = new Set(services.map(({ name }) => name));
  const namespaces = objects.filter(({ kind }) => kind === 'Namespace');
  const labelOf = (service: ImportedService, label: string): string | undefined => {
    const own = service.service === null ? undefined : fieldsOf(service.service, problems).labels(LABELS)[label];
    if (own !== undefined) return own;
    const namespace = namespaces.find(({ name }) => name === service.workload.namespace);
    const inherited = namespace === undefined ? undefined : fieldsOf(namespace, problems).labels(LABELS)[label];
    if (inherited !== undefined) ledger.use(namespace!);
    return inherited;
  };
  const hosts = services.filter(({ versionOf }) => versionOf === null);
  const waypoints = waypointGateways(objects).flatMap((object): ImportedWaypoint[] => {
    const isFor = fieldsOf(object, problems).labels(LABELS)['istio.io/waypoint-for'] ?? 'service';
    if (isFor !== 'service' && isFor !== 'all') {
      ledger.leaveOut(object, `a waypoint for ${isFor}: only those of Services are simulated`);
      return [];
    }
    const behind = hosts.filter((service) => {
      const namespace = labelOf(service, 'istio.io/use-waypoint-namespace') ?? service.workload.namespace;
      return labelOf(service, 'istio.io/use-waypoint') === object.name && namespace === object.namespace;
    });
    if (behind.length === 0) {
      ledger.leaveOut(object, 'no service uses it (istio.io/use-waypoint)');
      return [];
    }
    ledger.use(object);
    const workload = workloads.get(object) ?? null;
    for (const one of objects)
      if (one.kind === 'Service' && one.namespace === object.namespace && one.name === object.name) ledger.use(one);
    if (workload !== null) for (const one of [workload.object, ...workload.pods]) ledger.use(one);
    const name = [
      object.name,
      `${object.name}-${object.namespace}`,
      `${object.name}-${object.namespace}-waypoint`,
    ].find((free) => !taken.has(free))!;
    taken.add(name);
    const ingress = behind.filter((service) => labelOf(service, 'istio.io/ingress-use-waypoint') === 'true');
    return [
      {
        ...{ name, object, workload },
        services: behind.map((service) => service.name),
        ingress: ingress.map((service) => service.name),
        resources: { requests: amounts(workload, 'requests', problems), limits: amounts(workload, 'limits', problems) },
      },
    ];
  });
  const [first] = waypoints;
  const labelled = namespaces.find(
    (namespace) => fieldsOf(namespace, []).labels(LABELS)['istio.io/dataplane-mode'] === 'ambient',
  );
  if (labelled !== undefined) ledger.use(labelled);
  return { waypoints, because: (first?.object ?? labelled)?.where ?? null };
}

function amounts(
  workload: Workload | null,
  which: 'requests' | 'limits',
  problems: Problem[],
): { readonly cpu?: number; readonly memory?: number } {
  if (workload === null) return {};
  const fields = fieldsOf(workload.object, problems);
  // A waypoint has the one container.
  const at: Path = [...workload.podSpec, 'containers', 0, 'resources', which];
  const [cpu, memory] = [fields.quantity([...at, 'cpu']), fields.quantity([...at, 'memory'])];
  return { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) };
}
