/**
 * Every value that a scenario may leave out, in the form in which it would be written, each with its reason. This is the
 * only place of defaults: the schema shows them to editors and fills them in, nothing behind the loader writes another.
 */
export const DEFAULTS = {
  /** The newest releases on the day this was written; Istio's master behaves otherwise here and there, and is not one. */
  compat: { istio: '1.31', envoy: '1.39', kubernetes: '1.37' },
  roundTrip: {
    /** Loopback and veth of one machine; no published figure found, our own guess. */
    sameNode: '0.05ms',
    /** Published pings within a zone lie between 0.3 and 0.9 ms; the lower half is what newer instances show. */
    sameZone: '0.4ms',
    /** Between zones of one region 1.0 to 1.5 ms is typical (0.25 to 3.4 ms seen). */
    crossZone: '1.2ms',
    /** us-east-1 to eu-west-1, the pair most often spanned. */
    crossRegion: '80ms',
  },
  cpu: {
    /** What the kernel does; cgroup v1 is in maintenance mode since Kubernetes 1.31. */
    contention: 'cgroupV2',
  },
  nodePool: {
    /** The kubelet's. */
    maxPods: 110,
  },
  gateways: {
    /** Two, so that one can be drained. */
    perZone: 2,
    /** A DNS or load-balancer health check of 3 to 5 s that must fail two or three times. */
    failover: '10s',
  },
  service: {
    /** As in Kubernetes. */
    replicas: 1,
    /** Istio sets no limit on pending requests (2^32 - 1), and most servers none of their own. */
    queue: 'unbounded',
    /** A thread a request is still the common server; asynchronous ones say so. */
    holdsWorkerWhileCalling: true,
    /** Share of the memory request in use: half keeps memory out of every threshold unless a scenario speaks of it. */
    memoryUseOfRequest: 0.5,
    /** A cached image. */
    imagePull: '0s',
    /** Containers without a pull are up within 5 s in 99 of 100 cases by the Kubernetes scalability objective. */
    ready: '5s',
    /** Kubernetes' probe defaults. */
    probeInitialDelay: '0s',
    probePeriod: '10s',
    terminationGrace: '30s',
    /** Kubernetes' own. */
    kind: 'Deployment',
    minReadySeconds: 0,
    maxSurge: '25%',
    maxUnavailable: '25%',
    /** Most frameworks close their listeners only once nothing is under way. */
    onTerm: 'drain',
    /** The kube-scheduler's default constraints: prefer, not insist. */
    spread: 'soft',
    maxSkew: 1,
    /** A small JSON call: the size of the worked price examples. */
    requestBytes: '1kB',
    responseBytes: '4kB',
  },
  external: {
    /** As Istio takes a port whose name says nothing else; a database has to say tcp. */
    protocol: 'http',
    /** An API on the internet, which our load does not fill. */
    concurrency: 'unbounded',
  },
  queue: {
    /** The delivery limit of RabbitMQ's quorum queues since 4.0. */
    attempts: 20,
    /** Brokers put a message that was rejected back at once. */
    delay: '0s',
  },
  mesh: {
    routing: 'istio',
    /** As in Istio, where it has to be switched on by proxyMetadata. */
    selfDiscovery: false,
    /** Istiod's PILOT_DEBOUNCE_AFTER and PILOT_DEBOUNCE_MAX. */
    debounce: { quiet: '100ms', max: '10s' },
    /** About as much again as Istiod's quiet time for the watch, the push and the proxy; no published figure found. */
    push: '100ms',
    /** Without Istiod: the watch, the EndpointSlice and kube-proxy's next write; the sum of the above, for want of a figure. */
    withoutMesh: '200ms',
    /** Istio's mesh-wide connectTimeout. */
    connectTimeout: '10s',
  },
  proxy: {
    /** Without a release to go by: a round figure above what newer releases publish. */
    sidecarPreset: 'proposal',
    ztunnelPreset: 'istio-1.24',
    /** Istio's `concurrency`. */
    workers: 2,
    /** Istio's requests for its sidecars. */
    cpu: '100m',
    memory: '128Mi',
  },
  waypoint: {
    /** What Istio deploys for a Gateway of class istio-waypoint. */
    replicas: 1,
    requests: { cpu: '100m', memory: '128Mi' },
    limits: { cpu: '2', memory: '1Gi' },
    preset: 'istio-1.24',
  },
  load: { arrivals: 'poisson', method: 'GET' },
  nodeAutoscaler: {
    /**
     * One for both autoscalers, since it is the cloud's: a comparison must not be decided by a default. Published figures
     * go from 28 s (median, EC2 with Karpenter) over 45 to 90 s (EKS) to 3 to 4 min (GCE, FAQ of the Cluster Autoscaler).
     */
    nodeStart: { lognormal: { mean: '60s', cv: 0.3 } },
    /** Its flags' own defaults. */
    clusterAutoscaler: {
      scanInterval: '10s',
      expander: 'least-waste',
      maxNodeProvisionTime: '15m',
      scaleDownUtilizationThreshold: '50%',
      scaleDownUnneededTime: '10m',
      scaleDownUnreadyTime: '20m',
      scaleDownDelayAfterAdd: '10m',
      scaleDownDelayAfterFailure: '3m',
    },
    /** Its own defaults (operator options, and v1 of the NodePool). */
    karpenter: {
      batchIdle: '1s',
      batchMax: '10s',
      consolidationPolicy: 'WhenEmptyOrUnderutilized',
      consolidateAfter: '0s',
      disruptionBudget: '10%',
    },
  },
  hpa: {
    /** Kubernetes' minReplicas. */
    min: 1,
    /** Kubernetes' target where no metric is given. */
    targetCpu: '80%',
  },
  run: {
    duration: '10m',
    /** Long enough for queues and connection counts at any load below 95 %; an HPA needs more. */
    warmUp: '1m',
    seed: 1,
    /** The least that gives an interval worth printing (t with 4 degrees of freedom: 2.78). */
    replications: 5,
    /** metrics-server's and most Prometheus configurations' interval. */
    scrape: '15s',
    /** Four scrapes: the least that rides out a missed one. */
    rateWindow: '60s',
    /** How often the engine looks. */
    cycle: '60s',
    /** Width of one point in charts. */
    series: '10s',
  },
} as const;
