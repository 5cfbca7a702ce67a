/**
 * Checks a `zoneAwareLbSetting`, of a DestinationRule or of the mesh (SEMANTICS A11). Istio knows it from 1.31 on, and
 * Envoy balances zones only where proxies know the pods of their own service; without that only regions are ranked.
 */
import type { RuleReport } from './destination-rule.js';
import { checkFailover, checkFailoverPriority, checkShape } from './locality-setting.js';
import { asList, asRecord, isObject } from './raw.js';
import type { Path } from './source.js';

/** The first release with the field: branch release-1.31 has it, release-1.30 has not. */
export const ZONE_AWARE_MINOR = 31;

/** `leastSize`: of `minClusterSize`, which the CRD of rules wants to be 1, and a mesh configuration leaves open. */
export function checkZoneAwareLbSetting(raw: unknown, path: Path, leastSize: 0 | 1, to: RuleReport): void {
  if (!isObject(raw)) return to.report('WT0203', path, { message: 'is not an object', expected: 'an object' });
  const setting = asRecord(raw);
  checkShape(setting, ['failover', 'failoverPriority'], ['minClusterSize'], path, to);
  checkFailover(asList(setting['failover']), [...path, 'failover'], to);
  checkFailoverPriority(asList(setting['failoverPriority']), 'zoneAwareLbSetting', [...path, 'failoverPriority'], to);
  const size = setting['minClusterSize'] ?? leastSize;
  if (!(Number.isInteger(size) && (size as number) >= leastSize && (size as number) < 2 ** 32))
    to.report('WT0401', [...path, 'minClusterSize'], {
      message: 'not a number of endpoints',
      expected: `a whole number of at least ${leastSize}`,
    });
  if (to.mesh.istioMinor < ZONE_AWARE_MINOR)
    to.unmodelled({
      code: 'WT0504',
      path,
      message: `Istio 1.${to.mesh.istioMinor} does not know zoneAwareLbSetting, and drops it: it is read from 1.${ZONE_AWARE_MINOR} on`,
    });
  else if (!to.mesh.selfDiscovery && setting['enabled'] !== false)
    to.unmodelled({
      code: 'WT0504',
      path,
      message: 'without mesh.selfDiscovery proxies do not know where their callers are: only regions are ranked',
    });
}
