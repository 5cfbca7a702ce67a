/**
 * Fields of a DestinationRule by place, as its CRD has them, and which of them the simulation follows. What stands inside
 * `tls`, `portLevelSettings`, `tunnel`, `proxyProtocol` and `workloadSelector` is not looked at.
 */
import { known, modelled } from './istio-fields.js';

const balancers = ['UNSPECIFIED', 'LEAST_CONN', 'RANDOM', 'PASSTHROUGH', 'ROUND_ROBIN', 'LEAST_REQUEST'];

export const RULE_FIELDS = {
  object: {
    apiVersion: modelled('text'),
    kind: modelled('text'),
    metadata: modelled('object'),
    spec: modelled('object'),
    status: modelled('object'),
  },
  spec: {
    host: modelled('text'),
    trafficPolicy: modelled('object'),
    subsets: modelled('list'),
    exportTo: known('texts'),
    workloadSelector: known('object'),
  },
  subset: { name: modelled('text'), labels: modelled('object'), trafficPolicy: modelled('object') },
  trafficPolicy: {
    loadBalancer: modelled('object'),
    outlierDetection: modelled('object'),
    connectionPool: modelled('object'),
    tls: known('object'),
    portLevelSettings: known('list'),
    tunnel: known('object'),
    proxyProtocol: known('object'),
    retryBudget: modelled('object'),
  },
  loadBalancer: {
    simple: modelled(balancers),
    localityLbSetting: modelled('object'),
    consistentHash: modelled('object'),
    zoneAwareLbSetting: { ...modelled('object'), since: 31 },
    warmup: modelled('object'),
    warmupDurationSecs: modelled('duration'),
  },
  consistentHash: {
    httpHeaderName: modelled('text'),
    httpCookie: modelled('object'),
    useSourceIp: modelled('flag'),
    httpQueryParameterName: modelled('text'),
    ringHash: modelled('object'),
    maglev: modelled('object'),
    minimumRingSize: modelled('uint64'),
  },
  httpCookie: {
    name: modelled('text'),
    path: modelled('text'),
    ttl: modelled('anyDuration'),
    attributes: modelled('list'),
  },
  cookieAttribute: { name: modelled('text'), value: modelled('text') },
  ringHash: { minimumRingSize: modelled('uint64') },
  maglev: { tableSize: modelled('uint64') },
  warmup: {
    duration: modelled('preciseDuration'),
    minimumPercent: modelled('percent?'),
    aggression: modelled('number?'),
  },
  connectionPool: { tcp: modelled('object'), http: modelled('object') },
  tcp: {
    maxConnections: modelled('int32'),
    connectTimeout: modelled('preciseDuration'),
    tcpKeepalive: known('object'),
    maxConnectionDuration: known('preciseDuration'),
    idleTimeout: known('anyDuration'),
  },
  // The whole is left out, which one notice says.
  tcpKeepalive: {
    probes: modelled('uint32'),
    time: modelled('preciseDuration'),
    interval: modelled('preciseDuration'),
  },
  http: {
    http1MaxPendingRequests: modelled('int32'),
    http2MaxRequests: modelled('int32'),
    maxRetries: modelled('int32'),
    maxRequestsPerConnection: known('int32'),
    idleTimeout: known('preciseDuration'),
    h2UpgradePolicy: known(['DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE']),
    useClientProtocol: known('flag'),
    maxConcurrentStreams: known('int32'),
    http2KeepAlive: known('object', 31),
  },
  retryBudget: {
    percent: modelled('percent?'),
    minRetryConcurrency: modelled('uint32'),
    budgetInterval: known('anyDuration', 31),
  },
  outlierDetection: {
    consecutiveErrors: modelled('int32'),
    consecutive5xxErrors: modelled('uint32?'),
    consecutiveGatewayErrors: modelled('uint32?'),
    consecutiveLocalOriginFailures: modelled('uint32?'),
    splitExternalLocalOriginErrors: modelled('flag'),
    interval: modelled('preciseDuration'),
    baseEjectionTime: modelled('preciseDuration'),
    maxEjectionPercent: modelled('int32'),
    minHealthPercent: modelled('int32'),
    outlierDetectionHttpErrorCodes: known('list', 31),
  },
} as const;
