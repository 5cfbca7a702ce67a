/**
 * Checks the retry policy of a route as Istio does: words and status codes that it knows, and nothing to retry by where
 * there are no retries.
 */
import type { RuleReport } from './destination-rule.js';
import { didYouMean } from './problems.js';
import type { Path } from './source.js';
import { checkFields } from './virtual-service-fields.js';

const RETRY_ON = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'envoy-ratelimited',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'http3-post-connect-failure',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
];

/** Status codes that Go has a text for: Istio takes no others. */
const STATUSES: readonly (readonly [from: number, to: number])[] = [
  [100, 103],
  [200, 208],
  [226, 226],
  [300, 305],
  [307, 308],
  [400, 418],
  [421, 426],
  [428, 429],
  [431, 431],
  [451, 451],
  [500, 508],
  [510, 511],
];

export function checkRetries(retries: Readonly<Record<string, unknown>>, path: Path, to: RuleReport): void {
  checkFields(retries, 'retries', path, to);
  const { attempts = 0, retryOn = '' } = retries;
  if (typeof attempts === 'number' && attempts < 0)
    to.report('WT0401', [...path, 'attempts'], {
      message: 'not a number of retries',
      expected: 'a whole number of at least 0',
    });
  const policy = ['perTryTimeout', 'retryOn', 'retryRemoteLocalities'].filter((key) => (retries[key] ?? '') !== '');
  if (attempts === 0 && policy.length > 0)
    to.report('WT0401', path, {
      message: `Istio refuses ${policy.join(' and ')} where attempts are 0`,
      expected: 'attempts of at least 1',
    });
  if (typeof retryOn !== 'string' || retryOn === '') return;
  for (const word of retryOn.split(',')) {
    // Istio trims words only when it applies them.
    if (RETRY_ON.includes(word) || isStatus(word)) continue;
    to.report('WT0401', [...path, 'retryOn'], {
      message: `no retry condition "${word}"`,
      expected: `status codes, or ${RETRY_ON.join(', ')}, with nothing but commas between`,
      hint: didYouMean(word, RETRY_ON),
    });
  }
}

function isStatus(word: string): boolean {
  return /^\d{3}$/.test(word) && STATUSES.some(([from, to]) => Number(word) >= from && Number(word) <= to);
}
