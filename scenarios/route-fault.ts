/** Checks the faults that a route injects, as Istio does: what, and in how many requests. */
import type { RuleReport } from './destination-rule.js';
import { didYouMean } from './problems.js';
import { asRecord, isObject } from './raw.js';
import type { Path } from './source.js';
import { checkFields } from './virtual-service-fields.js';

/** Envoy counts shares in millionths: Istio refuses what would become 0. */
const LEAST_PERCENT = 0.0001;

const GRPC_STATUSES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

export function checkFault(fault: Readonly<Record<string, unknown>>, path: Path, to: RuleReport): void {
  checkFields(fault, 'fault', path, to);
  if (fault['delay'] === undefined && fault['abort'] === undefined)
    to.report('WT0401', path, { message: 'a fault that injects nothing', expected: 'delay, abort or both' });
  if (isObject(fault['delay'])) checkInjection(fault['delay'], 'delay', ['fixedDelay', 'exponentialDelay'], path, to);
  if (isObject(fault['abort']))
    checkInjection(fault['abort'], 'abort', ['httpStatus', 'grpcStatus', 'http2Error'], path, to);
  for (const [kind, key] of [
    ['delay', 'exponentialDelay'],
    ['abort', 'http2Error'],
  ] as const)
    if (asRecord(fault[kind])[key] !== undefined)
      to.report('WT0401', [...path, kind, key], {
        message: 'Istio does not support it yet',
        expected: 'another key',
        atKey: true,
      });
  const { httpStatus: status, grpcStatus } = asRecord(fault['abort']);
  if (typeof status === 'number' && (status < 200 || status > 600))
    to.report('WT0401', [...path, 'abort', 'httpStatus'], {
      message: 'not a status',
      expected: 'a whole number from 200 to 600',
    });
  if (typeof grpcStatus === 'string' && !GRPC_STATUSES.includes(grpcStatus))
    to.report('WT0401', [...path, 'abort', 'grpcStatus'], {
      message: 'not a status of gRPC',
      expected: `one of ${GRPC_STATUSES.join(', ')}`,
      hint: didYouMean(grpcStatus, GRPC_STATUSES),
    });
}

/** What it injects, at most one of `kinds`, and in how many requests. */
function checkInjection(
  raw: unknown,
  kind: 'delay' | 'abort',
  kinds: readonly string[],
  path: Path,
  to: RuleReport,
): void {
  const injected = asRecord(raw);
  const here: Path = [...path, kind];
  checkFields(injected, kind, here, to);
  const given = kinds.filter((key) => injected[key] !== undefined);
  if (given.length > 1)
    to.report('WT0401', [...here, given[1]!], {
      message: 'Istio takes one',
      expected: kinds.join(' or '),
      atKey: true,
    });
  if (given.length === 0) to.unmodelled({ code: 'WT0504', path: here, message: `${kind} injects nothing` });
  const { percentage, percent } = injected;
  checkFields(asRecord(percentage), 'percentage', [...here, 'percentage'], to);
  const { value = 0 } = asRecord(percentage);
  if (percentage === undefined && percent === undefined)
    to.unmodelled({ code: 'WT0504', path: here, message: `${kind} without percentage injects nothing` });
  else if (typeof value === 'number' && (value < 0 || value > 100 || (value > 0 && value < LEAST_PERCENT)))
    to.report('WT0401', [...here, 'percentage', 'value'], {
      message: 'not a percentage',
      expected: `0, or a number from ${LEAST_PERCENT} to 100`,
    });
}
