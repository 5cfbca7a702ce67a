/**
 * Checks what a DestinationRule says about consistent hashing and warm-up, as Istio checks it: the hash has at most one
 * key, the sizes of the tables are in range, a warm-up has a length.
 */
import type { RuleReport } from './destination-rule.js';
import { checkDuration, checkKeys } from './istio-fields.js';
import { asRecord, isObject } from './raw.js';
import type { Path } from './source.js';

const HASH_KEYS = ['httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'];
const HASH_FIELDS = [...HASH_KEYS, 'ringHash', 'maglev', 'minimumRingSize'];
const WARM_UP_FIELDS = ['duration', 'minimumPercent', 'aggression'];

export function checkConsistentHash(raw: unknown, path: Path, to: RuleReport): void {
  if (!isObject(raw)) return to.report('WT0203', path, { message: 'is not an object', expected: 'an object' });
  const hash = asRecord(raw);
  checkKeys(hash, HASH_FIELDS, path, to);
  const keys = HASH_KEYS.filter((key) => hash[key] !== undefined);
  if (keys.length > 1)
    to.report('WT0401', [...path, keys[1]!], {
      message: `${keys.join(' and ')} are both hashed`,
      expected: `one of ${HASH_KEYS.join(', ')}`,
      atKey: true,
    });
  if (keys.length === 0)
    to.unmodelled({ code: 'WT0504', path, message: 'nothing is hashed, so every request goes to a random pod' });
  if ('ringHash' in hash && 'maglev' in hash)
    to.report('WT0401', [...path, 'maglev'], {
      message: 'Istio takes one table',
      expected: 'ringHash or maglev',
      atKey: true,
    });
  for (const key of ['httpHeaderName', 'httpQueryParameterName'])
    if (hash[key] !== undefined && (typeof hash[key] !== 'string' || hash[key] === ''))
      to.report('WT0401', [...path, key], { message: 'not a name', expected: 'a name' });
  if (hash['useSourceIp'] !== undefined && typeof hash['useSourceIp'] !== 'boolean')
    to.report('WT0203', [...path, 'useSourceIp'], { message: 'is not true or false', expected: 'true or false' });
  checkCookie(hash['httpCookie'], [...path, 'httpCookie'], to);
  for (const [table, size, most] of SIZES) {
    const value = asRecord(hash[table])[size];
    if (hash[table] !== undefined && isObject(hash[table]))
      checkKeys(asRecord(hash[table]), [size], [...path, table], to);
    if (value !== undefined && !(Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most))
      to.report('WT0401', [...path, table, size], {
        message: 'not a size',
        expected: `a whole number from 1 to ${most}`,
      });
    else if (table === 'maglev' && value !== undefined && !isPrime(value as number))
      to.report('WT0401', [...path, table, size], {
        message: 'not a prime number',
        expected: 'a prime, such as 65537',
      });
  }
}

/** Largest tables that Envoy takes. */
const SIZES = [
  ['ringHash', 'minimumRingSize', 8 * 1024 * 1024],
  ['maglev', 'tableSize', 5_000_011],
] as const;

function checkCookie(raw: unknown, path: Path, to: RuleReport): void {
  if (raw === undefined) return;
  const cookie = asRecord(raw);
  checkKeys(cookie, ['name', 'path', 'ttl', 'attributes'], path, to);
  if (typeof cookie['name'] !== 'string' || cookie['name'] === '')
    to.report('WT0401', [...path, 'name'], { message: 'a cookie without a name', expected: 'a name' });
}

export function checkWarmUp(balancer: Readonly<Record<string, unknown>>, path: Path, to: RuleReport): void {
  const { warmup } = balancer;
  if (balancer['warmupDurationSecs'] !== undefined && warmup !== undefined)
    to.report('WT0401', [...path, 'warmupDurationSecs'], {
      message: 'Istio refuses it beside warmup',
      expected: 'warmup alone',
      atKey: true,
    });
  checkDuration(balancer, 'warmupDurationSecs', path, to);
  if (warmup === undefined) return;
  const at = [...path, 'warmup'];
  if (!isObject(warmup)) return to.report('WT0203', at, { message: 'is not an object', expected: 'an object' });
  const fields = asRecord(warmup);
  checkKeys(fields, WARM_UP_FIELDS, at, to);
  if (fields['duration'] === undefined)
    to.report('WT0401', at, { message: 'a warm-up without a duration', expected: 'duration, such as 60s' });
  checkDuration(fields, 'duration', at, to);
  const { minimumPercent, aggression } = fields;
  if (
    minimumPercent !== undefined &&
    !(typeof minimumPercent === 'number' && minimumPercent >= 0 && minimumPercent <= 100)
  )
    to.report('WT0401', [...at, 'minimumPercent'], { message: 'not a percentage', expected: 'a number from 0 to 100' });
  if (aggression !== undefined && !(typeof aggression === 'number' && aggression >= 1))
    to.report('WT0401', [...at, 'aggression'], { message: 'not an aggression', expected: 'a number of at least 1' });
}

function isPrime(value: number): boolean {
  for (let divisor = 2; divisor * divisor <= value; divisor++) if (value % divisor === 0) return false;
  return value > 1;
}
