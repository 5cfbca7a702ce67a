/**
 * The mesh in the file: Istio objects as they are in the cluster, proxies, and who chooses the pod.
 */
import * as z from 'zod';
import { DEFAULTS } from '../defaults.js';
import * as units from '../units.js';
import { amount, dnsName, duration, flag, positive, positiveDuration, text, whole, word } from './leaves.js';
import { service } from './service.js';

/** Istio objects as they are in the cluster: checked by `destination-rule.ts`, with Istio's own rules. */
export const kubeObject = z.looseObject({
  apiVersion: text('As in the cluster.'),
  kind: text('As in the cluster.'),
  metadata: z.looseObject({ name: text('Name of the object.') }),
  spec: z.record(z.string(), z.unknown(), { error: 'an object' }),
});

const proxy = z.strictObject({
  mode: word(
    ['sidecar', 'ambient', 'none'],
    'A sidecar in each pod; a ztunnel on each node, which balances connections (routing: ambient or kubeProxy); or nothing.',
  ),
  preset: word(
    ['proposal', 'istio-1.24', 'istio-1.20', 'istio-1.12', 'istio-1.5'],
    'Figures that were published with a release; istio-1.24 alone for ambient.',
  ).optional(),
  fixed: duration(
    'Least time of one pass; a call passes two proxies, there and back. Default: of the preset.',
  ).optional(),
  mean: duration('Mean of the exponential time on top of it. Default: of the preset.').optional(),
  cpuPerRequest: duration(
    'CPU time of one proxy for a request and its reply: 0.2ms is 0.2 cores at 1000 requests a second. Default: of the preset.',
  ).optional(),
  workers: whole(1, 'Threads of one proxy; messages wait for one.').prefault(DEFAULTS.proxy.workers),
  requests: z
    .strictObject({
      cpu: amount(units.cpu, 'CPU request of a sidecar.').prefault(DEFAULTS.proxy.cpu),
      memory: amount(units.memory, 'Memory request of a sidecar.').prefault(DEFAULTS.proxy.memory),
    })
    .prefault({})
    .meta({ description: 'What a sidecar adds to the requests of its pod. A ztunnel adds nothing.' }),
});

const { requests, limits } = DEFAULTS.waypoint;

/** Its pods are kept and placed like those of a service; what a service does is not for it to say. */
const waypoint = service
  .omit({ versionOf: true, endpoints: true, queue: true, holdsWorkerWhileCalling: true, topologyModeAuto: true })
  .extend({
    name: dnsName('Name of the waypoint and of its Deployment, unlike that of any service.'),
    services: z
      .array(text('Name of a service.'), { error: 'a list of services' })
      .min(1)
      .meta({ description: 'Services whose calls pass it (istio.io/use-waypoint).' }),
    ingress: z
      .array(text('One of its services.'), { error: 'a list of services' })
      .prefault([])
      .meta({ description: "Those of them for which users' requests pass it, too (istio.io/ingress-use-waypoint)." }),
    replicas: service.shape.replicas.unwrap().prefault(DEFAULTS.waypoint.replicas).meta({
      description: 'Pods at the start: a number, placed by the simulated scheduler, or a fixed number per zone.',
    }),
    resources: z
      .strictObject({
        requests: z
          .strictObject({
            cpu: amount(positive(units.cpu), 'CPU request of one pod.').prefault(requests.cpu),
            memory: amount(positive(units.memory), 'Memory request of one pod.').prefault(requests.memory),
          })
          .prefault({}),
        limits: z
          .strictObject({
            cpu: amount(positive(units.cpu), 'CPU limit of one pod.').prefault(limits.cpu),
            memory: amount(positive(units.memory), 'Memory limit of one pod.').prefault(limits.memory),
          })
          .prefault({}),
      })
      .prefault({}),
    workers: whole(1, 'Threads of one pod; messages wait for one.').prefault(DEFAULTS.proxy.workers),
    preset: word(['istio-1.24'], 'Figures that were published with a release.').prefault(DEFAULTS.waypoint.preset),
    cpuPerRequest: duration(
      'CPU time for a request and its reply, half of it each way. Default: of the preset.',
    ).optional(),
    fixed: duration('Least time of one pass besides its CPU; a call passes twice. Default: of the preset.').optional(),
    mean: duration('Mean of the exponential time on top of it. Default: of the preset.').optional(),
  });

/** Istiod gathers changes, and one push carries all of them. */
const pushes = z.strictObject({
  debounce: z
    .strictObject({
      quiet: duration('Istiod pushes once nothing has changed for so long.').prefault(DEFAULTS.mesh.debounce.quiet),
      max: duration('Or so long after the first change of a batch.').prefault(DEFAULTS.mesh.debounce.max),
    })
    .prefault({}),
  push: duration("From Istiod's push until every proxy has it, and for the watch before.").prefault(DEFAULTS.mesh.push),
});

export const mesh = z
  .strictObject({
    objects: z
      .array(kubeObject, { error: 'a list of Istio objects' })
      .prefault([])
      .meta({ description: 'Istio objects as they are in the cluster.' }),
    localityLbSetting: z
      .record(z.string(), z.unknown(), { error: 'an object' })
      .optional()
      .meta({ description: "Mesh-wide localityLbSetting. Default: Istio's, enabled and empty." }),
    zoneAwareLbSetting: z
      .record(z.string(), z.unknown(), { error: 'an object' })
      .optional()
      .meta({ description: 'Mesh-wide zoneAwareLbSetting, from Istio 1.31 on. Default: none.' }),
    selfDiscovery: flag(
      'Whether proxies know the pods of their own service (ISTIO_META_ENABLE_SELF_DISCOVERY), as zoneAwareLbSetting needs it.',
    ).prefault(DEFAULTS.mesh.selfDiscovery),
    routing: word(
      ['istio', 'ambient', 'kubeProxy'],
      'istio: sidecars choose a pod for each request; ambient: ztunnels choose a random pod for each connection, waypoints and gateways one for each request; kubeProxy: no mesh, a random pod for each connection.',
    ).prefault(DEFAULTS.mesh.routing),
    connections: z
      .strictObject({
        perCaller: whole(1, 'Long-lived connections of one pod to a service, used in turn.'),
        maxAge: positiveDuration('Age at which a connection is closed. Default: none.').optional(),
      })
      .optional()
      .meta({
        description:
          'With routing: kubeProxy or ambient, how gRPC clients connect. Default: a connection for each request.',
      }),
    propagation: z
      .union([duration('One delay for each change.'), pushes], {
        error: 'a duration, or {debounce, push}',
      })
      .optional()
      .meta({
        description:
          "From a change of endpoints or rules until every proxy has it. Default: Istiod's debounce and push; 200ms with routing: kubeProxy.",
      }),
    waypoints: z.array(waypoint, { error: 'a list of waypoints' }).prefault([]).meta({
      description: 'With routing: ambient, proxies in front of services: rules and routes of these act there.',
    }),
    proxy: proxy
      .optional()
      .meta({ description: 'Latency and CPU of the proxies. Default: none, whatever the mode of the mesh.' }),
    connectTimeout: positiveDuration('Connect timeout of the proxies.').prefault(DEFAULTS.mesh.connectTimeout),
  })
  .prefault({});
