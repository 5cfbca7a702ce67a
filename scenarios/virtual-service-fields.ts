/**
 * Fields of a VirtualService by place, as its CRD has them, and which of them the simulation follows. What stands inside
 * `tcp`, `tls`, `delegate`, `corsPolicy`, `headers` and the matches that never hold here is not looked at.
 */
import type { RuleReport } from './destination-rule.js';
import { checkKnownFields, known, modelled } from './istio-fields.js';
import type { Path } from './source.js';

const percentage = { value: modelled('number') } as const;

const FIELDS = {
  spec: {
    hosts: modelled('texts'),
    http: modelled('list'),
    gateways: modelled('texts'),
    tcp: known('list'),
    tls: known('list'),
    exportTo: known('texts'),
  },
  http: {
    name: modelled('text'),
    match: modelled('list'),
    route: modelled('list'),
    timeout: modelled('preciseDuration'),
    retries: modelled('object'),
    fault: modelled('object'),
    redirect: modelled('object'),
    directResponse: modelled('object'),
    delegate: known('object'),
    rewrite: known('object'),
    mirror: modelled('object'),
    mirrors: known('list'),
    mirrorPercentage: modelled('object'),
    mirrorPercent: modelled('uint32?'),
    mirror_percent: modelled('uint32?'),
    corsPolicy: known('object'),
    headers: known('object'),
  },
  match: {
    name: modelled('text'),
    uri: modelled('object'),
    ignoreUriCase: modelled('flag'),
    sourceLabels: modelled('object'),
    scheme: known('object'),
    method: modelled('object'),
    authority: known('object'),
    headers: modelled('object'),
    withoutHeaders: modelled('object'),
    queryParams: modelled('object'),
    port: known('uint32'),
    gateways: modelled('texts'),
    sourceNamespace: known('text'),
    statPrefix: known('text'),
  },
  textMatch: { exact: modelled('text'), prefix: modelled('text'), regex: modelled('text') },
  route: { destination: modelled('object'), weight: modelled('int32'), headers: known('object') },
  destination: { host: modelled('text'), subset: modelled('text'), port: modelled('object') },
  port: { number: modelled('uint32') },
  retries: {
    attempts: modelled('int32'),
    perTryTimeout: modelled('preciseDuration'),
    retryOn: modelled('text'),
    backoff: modelled('preciseDuration'),
    retryRemoteLocalities: known('flag?'),
    retryIgnorePreviousHosts: known('flag?'),
  },
  fault: { delay: modelled('object'), abort: modelled('object') },
  delay: {
    fixedDelay: modelled('preciseDuration'),
    exponentialDelay: known('duration'),
    percentage: modelled('object'),
    percent: modelled('int32'),
  },
  abort: {
    httpStatus: modelled('int32'),
    grpcStatus: modelled('text'),
    http2Error: known('text'),
    percentage: modelled('object'),
  },
  percentage,
  mirrorPercentage: percentage,
  redirect: {
    uri: modelled('text'),
    authority: modelled('text'),
    scheme: modelled('text'),
    port: modelled('uint32'),
    derivePort: modelled(['FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT']),
    redirectCode: modelled('uint32'),
    prefixRewrite: { ...modelled('text'), since: 31 },
  },
  directResponse: { status: modelled('uint32'), body: modelled('object') },
  // The whole of these is left out, which one notice says.
  rewrite: { uri: modelled('text'), authority: modelled('text'), uriRegexRewrite: modelled('object') },
  uriRegexRewrite: { match: modelled('text'), rewrite: modelled('text') },
} as const;

export function checkFields(
  value: Readonly<Record<string, unknown>>,
  place: keyof typeof FIELDS,
  path: Path,
  to: RuleReport,
  consequence = 'it is left out',
): void {
  checkKnownFields(
    value,
    FIELDS[place],
    path,
    to,
    (key) => `${key} of a VirtualService is not simulated yet: ${consequence}`,
  );
}
