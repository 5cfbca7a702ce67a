/**
 * Checks what a DestinationRule says about balancing beyond localities, as Istio checks it: one kind of balancer, one
 * hash with at most one key, tables of a size that works, a warm-up with a length. Sizes and names that istiod lets
 * through and Envoy then refuses, with the whole cluster, are refused here, too (`envoyRefuses`).
 */
import { checkOwn, section, type RuleReport } from './destination-rule.js';
import { checkLocalityLbSetting } from './locality-setting.js';
import { asList, asRecord, isObject } from './raw.js';
import type { Path } from './source.js';
import { checkZoneAwareLbSetting, ZONE_AWARE_MINOR } from './zone-aware-setting.js';

type Raw = Readonly<Record<string, unknown>>;

const HASH_KEYS = ['httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'];
/** Envoy's largest ring. */
const MOST_RING_ENTRIES = 8 * 1024 * 1024;
/** Istio's, which lies below it. */
const MAGLEV_BELOW = 5_000_011;

export function checkLoadBalancer(balancer: Raw, path: Path, hasOutlierDetection: boolean, to: RuleReport): void {
  if (balancer['simple'] !== undefined && balancer['consistentHash'] !== undefined)
    to.report('WT0401', [...path, 'consistentHash'], {
      message: 'Istio takes one balancer',
      expected: 'simple or consistentHash',
      atKey: true,
    });
  if (balancer['localityLbSetting'] !== undefined && balancer['zoneAwareLbSetting'] !== undefined)
    to.report('WT0401', [...path, 'zoneAwareLbSetting'], {
      message: 'Istio refuses it beside localityLbSetting',
      expected: 'one of the two',
      atKey: true,
    });
  checkZoneAware(balancer, path, to);
  if (isObject(balancer['consistentHash'])) checkConsistentHash(balancer, path, to);
  checkWarmUp(balancer, path, to);
  if (isObject(balancer['localityLbSetting']))
    checkLocalityLbSetting(balancer['localityLbSetting'], [...path, 'localityLbSetting'], hasOutlierDetection, to);
}

/** A release that does not know the field has refused it. */
function checkZoneAware(balancer: Raw, path: Path, to: RuleReport): void {
  if (!isObject(balancer['zoneAwareLbSetting']) || to.mesh.istioMinor < ZONE_AWARE_MINOR) return;
  checkZoneAwareLbSetting(balancer['zoneAwareLbSetting'], [...path, 'zoneAwareLbSetting'], 1, to);
}

function checkConsistentHash(balancer: Raw, balancerPath: Path, to: RuleReport): void {
  const hash = section(balancer, 'consistentHash', balancerPath, to);
  const path = [...balancerPath, 'consistentHash'];
  const keys = HASH_KEYS.filter((key) => hash[key] !== undefined);
  if (keys.length > 1)
    to.report('WT0401', [...path, keys[1]!], {
      message: `${keys.join(' and ')} are both hashed`,
      expected: `one of ${HASH_KEYS.join(', ')}`,
      atKey: true,
    });
  if (keys.length === 0)
    to.unmodelled({ code: 'WT0504', path, message: 'nothing is hashed, so every request goes to a random pod' });
  for (const key of ['httpHeaderName', 'httpQueryParameterName'])
    if (hash[key] === '') envoyRefuses([...path, key], 'an empty name', 'a name', to);
  checkCookie(section(hash, 'httpCookie', path, to), [...path, 'httpCookie'], to);
  checkTables(hash, path, to);
}

function checkTables(hash: Raw, path: Path, to: RuleReport): void {
  const [ring, table] = [section(hash, 'ringHash', path, to), section(hash, 'maglev', path, to)];
  if (hash['ringHash'] !== undefined && hash['maglev'] !== undefined)
    to.report('WT0401', [...path, 'maglev'], {
      message: 'Istio takes one table',
      expected: 'ringHash or maglev',
      atKey: true,
    });
  const old = hash['minimumRingSize'];
  if (typeof old === 'number' && old > 0 && (hash['ringHash'] ?? hash['maglev']) !== undefined)
    to.report('WT0401', [...path, 'minimumRingSize'], {
      message: 'Istio refuses it beside ringHash and maglev',
      expected: 'ringHash: {minimumRingSize: ...}',
      atKey: true,
    });
  for (const [size, at] of [
    [ring['minimumRingSize'], [...path, 'ringHash', 'minimumRingSize']],
    [old, [...path, 'minimumRingSize']],
  ] as const)
    if (typeof size === 'number' && size > MOST_RING_ENTRIES)
      envoyRefuses([...at], 'a ring that large', `at most ${MOST_RING_ENTRIES} entries`, to);
  if (!isObject(hash['maglev'])) return;
  const size = table['tableSize'] ?? 0;
  if (typeof size === 'number' && !(size < MAGLEV_BELOW && isPrime(size)))
    to.report('WT0401', [...path, 'maglev', 'tableSize'], {
      message: table['tableSize'] === undefined ? 'Istio refuses maglev without a size' : 'not a size that Istio takes',
      expected: `a prime below ${MAGLEV_BELOW}, such as 65537`,
    });
}

/** Attributes with names, each once. */
function checkCookie(cookie: Raw, path: Path, to: RuleReport): void {
  if (Object.keys(cookie).length > 0 && (cookie['name'] === undefined || cookie['name'] === ''))
    to.report('WT0401', cookie['name'] === undefined ? path : [...path, 'name'], {
      message: 'a cookie without a name',
      expected: 'a name',
    });
  const seen = new Set<unknown>();
  for (const [index, attribute] of asList(cookie['attributes']).map(asRecord).entries()) {
    const at = [...path, 'attributes', index];
    checkOwn(attribute, 'cookieAttribute', at, to);
    const { name } = attribute;
    if (name === undefined || name === '' || seen.has(name))
      to.report('WT0401', name === undefined ? at : [...at, 'name'], {
        message: 'an attribute needs a name of its own',
        expected: 'a name',
      });
    seen.add(name);
  }
}

function checkWarmUp(balancer: Raw, path: Path, to: RuleReport): void {
  if (balancer['warmupDurationSecs'] !== undefined && balancer['warmup'] !== undefined)
    to.unmodelled({
      code: 'WT0504',
      path: [...path, 'warmupDurationSecs'],
      message: 'warmupDurationSecs has no effect beside warmup',
    });
  const warmup = section(balancer, 'warmup', path, to);
  const at = [...path, 'warmup'];
  if (isObject(balancer['warmup']) && warmup['duration'] === undefined)
    to.report('WT0401', at, { message: 'a warm-up without a duration', expected: 'duration, such as 60s' });
  const { aggression } = warmup;
  if (typeof aggression !== 'number') return;
  if (to.mesh.istioMinor < 31 ? aggression < 1 : aggression <= 0)
    to.report('WT0401', [...at, 'aggression'], {
      message: 'not an aggression',
      expected: to.mesh.istioMinor < 31 ? 'a number of at least 1' : 'a number above 0',
    });
}

function envoyRefuses(path: Path, what: string, expected: string, to: RuleReport): void {
  to.report('WT0401', path, { message: `Envoy refuses ${what}`, expected });
}

function isPrime(value: number): boolean {
  for (let divisor = 2; divisor * divisor <= value; divisor++) if (value % divisor === 0) return false;
  return value > 1;
}
