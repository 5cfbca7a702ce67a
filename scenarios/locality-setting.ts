/**
 * Checks a `localityLbSetting`, of a DestinationRule or of the mesh, as Istio checks it (SEMANTICS A4 to A6): weights that
 * sum to 100, localities that do not overlap, failover between regions.
 */
import { matchesLocality } from '../engine/locality-match.js';
import type { RuleReport } from './destination-rule.js';
import { checkKeys } from './istio-fields.js';
import { didYouMean } from './problems.js';
import { asList, asRecord, isObject } from './raw.js';
import type { Report } from './raw.js';
import type { Path } from './source.js';

/** Also used for the mesh-wide setting. */
export function checkLocalityLbSetting(raw: unknown, path: Path, hasOutlierDetection: boolean, to: RuleReport): void {
  if (!isObject(raw)) return to.report('WT0203', path, { message: 'is not an object', expected: 'an object' });
  const setting = asRecord(raw);
  checkShape(setting, ['distribute', 'failover', 'failoverPriority'], [], path, to);
  const distribute = asList(setting['distribute']);
  const failover = asList(setting['failover']);
  const priorities = asList(setting['failoverPriority']);
  if (distribute.length > 0 && failover.length > 0) {
    to.report('WT0401', [...path, 'failover'], {
      message: 'Istio refuses failover beside distribute',
      hint: 'take one of the two out',
      atKey: true,
    });
  }
  checkDistribute(distribute, [...path, 'distribute'], to);
  checkFailover(failover, [...path, 'failover'], to);
  checkFailoverPriority(priorities, failover.length > 0 ? 'failover' : null, [...path, 'failoverPriority'], to);
  if (failover.length + priorities.length > 0 && !hasOutlierDetection && setting['enabled'] !== false) {
    to.unmodelled({
      code: 'WT0504',
      path,
      message: 'without outlierDetection, failover and failoverPriority have no effect',
    });
  }
}

/** Of a setting of localities: `enabled`, lists, and other keys that are looked at elsewhere. */
export function checkShape(
  setting: Readonly<Record<string, unknown>>,
  lists: readonly string[],
  others: readonly string[],
  path: Path,
  to: RuleReport,
): void {
  checkKeys(setting, ['enabled', ...lists, ...others], path, to);
  const enabled = setting['enabled'] ?? null;
  if (enabled !== null && typeof enabled !== 'boolean')
    to.report('WT0203', [...path, 'enabled'], { message: 'is not true or false', expected: 'true or false' });
  for (const key of lists)
    if (key in setting && !Array.isArray(setting[key]))
      to.report('WT0203', [...path, key], { message: 'is not a list', expected: 'a list' });
}

function checkDistribute(entries: readonly unknown[], path: Path, to: RuleReport): void {
  checkEntries(entries, ['from', 'to'], path, to);
  const froms = entries.map((entry, index): [unknown, Path] => [asRecord(entry)['from'], [...path, index, 'from']]);
  checkLocalities(froms, to.report);
  for (const [locality, at] of froms) noticeUnmatched(locality, at, to);
  for (const [index, entry] of entries.map(asRecord).entries()) {
    const weights = asRecord(entry['to']);
    const at = [...path, index, 'to'];
    checkLocalities(
      Object.keys(weights).map((locality): [unknown, Path] => [locality, [...at, locality]]),
      to.report,
      true,
    );
    let sum = 0;
    for (const [locality, weight] of Object.entries(weights)) {
      noticeUnmatched(locality, [...at, locality], to);
      const valid = Number.isInteger(weight) && (weight as number) >= 1 && (weight as number) <= 100;
      if (!valid)
        to.report('WT0401', [...at, locality], { message: 'not a weight', expected: 'a whole number from 1 to 100' });
      sum += typeof weight === 'number' ? weight : 0;
    }
    if (sum !== 100)
      to.report('WT0401', at, { message: `the weights sum to ${sum}`, expected: 'weights that sum to exactly 100' });
  }
}

/**
 * Each at most one "*", at the end; no empty part; none that an earlier one covers. The keys of a map have no order, and
 * Istio's answer then depends on the order in which it happens to read them: what it refuses in any order is refused.
 */
function checkLocalities(
  localities: readonly (readonly [locality: unknown, path: Path])[],
  report: Report,
  areKeys = false,
): void {
  const earlier: string[] = [];
  for (const [locality, path] of localities) {
    if (typeof locality !== 'string') {
      report('WT0203', path, {
        message: 'is not a text',
        expected: 'a locality such as region/zone/*',
        atKey: areKeys,
      });
      continue;
    }
    const stars = locality.split('*').length - 1;
    if (stars > 1 || (stars === 1 && !locality.endsWith('*')))
      report('WT0401', path, {
        message: 'Istio takes one "*", and only at the end',
        expected: 'a locality such as region/zone/*',
        atKey: areKeys,
      });
    else if (partsOf(locality).some((part) => part === ''))
      report('WT0401', path, {
        message: 'not a locality',
        expected: 'a locality such as region/zone/*',
        atKey: areKeys,
      });
    const other = earlier.find((before) => covers(before, locality) || (areKeys && covers(locality, before)));
    if (other !== undefined)
      report('WT0401', path, {
        message: `"${locality}" overlaps "${other}"`,
        hint: 'Istio refuses localities that match the same place',
        atKey: areKeys,
      });
    earlier.push(locality);
  }
}

/** Region, zone, and all the rest as subzone. */
function partsOf(locality: string): readonly string[] {
  const [region, zone, ...rest] = locality.split('/');
  return [region!, ...(zone === undefined ? [] : [zone]), ...(rest.length === 0 ? [] : [rest.join('/')])];
}

/** As Istio reads a list: an earlier "*" covers all; a later one is a name like any other, so `eu/a` then `eu/*` is fine. */
function covers(earlier: string, later: string): boolean {
  const [before, after] = [partsOf(earlier), partsOf(later)];
  for (let i = 0; i < 3; i++) {
    if (before[i] === undefined || before[i] === '*' || after[i] === undefined) return true;
    if (before[i] !== after[i]) return false;
  }
  return true;
}

/** Istio takes any locality; one that no place of the cluster matches is most likely misspelt. */
function noticeUnmatched(locality: unknown, path: Path, to: RuleReport): void {
  if (typeof locality !== 'string' || to.localities.some((place) => matchesLocality(locality, place))) return;
  const isZone = to.zones.some((zone) => matchesLocality(locality.split('/').slice(0, 2).join('/'), zone));
  to.unmodelled({
    code: 'WT0504',
    path,
    message: `"${locality}" matches no ${isZone ? 'subzone' : 'zone'} of the cluster`,
  });
}

export function checkFailover(entries: readonly unknown[], path: Path, to: RuleReport): void {
  checkEntries(entries, ['from', 'to'], path, to);
  for (const [index, entry] of entries.map(asRecord).entries()) {
    for (const key of ['from', 'to']) {
      const region = entry[key] ?? '';
      if (typeof region !== 'string' || /[/*]/.test(region)) {
        to.report('WT0401', [...path, index, key], {
          message: 'not a plain region',
          expected: 'a region, without "/" or "*"',
        });
      } else if (region === '') {
        to.unmodelled({ code: 'WT0504', path: [...path, index], message: `no region ${key} which to fail over` });
      }
    }
    if ((entry['from'] ?? '') === (entry['to'] ?? ''))
      to.report('WT0401', [...path, index, 'to'], {
        message: 'a failover within one region',
        expected: 'another region than from',
      });
  }
}

const TOPOLOGY_LABELS = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone', 'topology.istio.io/subzone'];

/** The others are empty on every pod. */
const SIMULATED_LABELS = [
  ...TOPOLOGY_LABELS,
  'kubernetes.io/hostname',
  'topology.istio.io/network',
  'topology.istio.io/cluster',
];

/** `ranking`: what ranks topology already, so that Istio refuses those labels; null: nothing does. */
export function checkFailoverPriority(
  labels: readonly unknown[],
  ranking: 'failover' | 'zoneAwareLbSetting' | null,
  path: Path,
  to: RuleReport,
): void {
  for (const [index, label] of labels.entries()) {
    if (typeof label !== 'string')
      to.report('WT0203', [...path, index], { message: 'is not a label', expected: 'a label, or label=value' });
    else if (!SIMULATED_LABELS.includes(label.split('=')[0]!))
      to.unmodelled({
        code: 'WT0502',
        path: [...path, index],
        message: `pods have no label "${label.split('=')[0]!}" here`,
      });
    // One with a value of its own is another label to Istio.
    else if (ranking !== null && TOPOLOGY_LABELS.includes(label)) {
      to.report('WT0401', [...path, index], {
        message:
          ranking === 'failover'
            ? 'Istio refuses a topology label in failoverPriority beside failover'
            : 'Istio refuses a topology label in the failoverPriority of zoneAwareLbSetting, which ranks regions itself',
        hint: ranking === 'failover' ? 'take one of the two out' : 'take it out, and use failover for regions',
      });
    }
  }
}

function checkEntries(entries: readonly unknown[], keys: readonly string[], path: Path, to: RuleReport): void {
  for (const [index, entry] of entries.entries()) {
    if (!isObject(entry))
      to.report('WT0203', [...path, index], {
        message: 'is not an object',
        expected: `an object with ${keys.join(' and ')}`,
      });
    for (const key of Object.keys(asRecord(entry))) {
      if (!keys.includes(key))
        to.report('WT0201', [...path, index, key], {
          message: `unknown key "${key}"`,
          expected: `one of ${keys.join(', ')}`,
          hint: didYouMean(key, keys),
          atKey: true,
        });
    }
  }
}
