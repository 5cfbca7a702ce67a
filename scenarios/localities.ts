/** Where pods may be, as Istio writes it: in zones, in the subzones of pools, and where labels of pods say. */
import { statedLocality, SUBZONE_LABEL } from '../engine/locality-match.js';
import { asList, asRecord, type Raw } from './raw.js';

/** From the plain data, which may be anything; mistakes in it are told elsewhere. */
export function localitiesOf(spec: Raw, zones: readonly string[]): readonly string[] {
  const subzones = asList(asRecord(spec['cluster'])['nodePools']).flatMap((pool) => {
    const { subzone, labels } = asRecord(pool);
    const name = subzone ?? texts(labels)[SUBZONE_LABEL];
    return typeof name === 'string' ? [name] : [];
  });
  const stated = asList(spec['services']).flatMap(
    (service) => statedLocality(texts(asRecord(service)['labels'])) ?? [],
  );
  return [...zones, ...zones.flatMap((zone) => subzones.map((subzone) => `${zone}/${subzone}`)), ...stated];
}

function texts(labels: unknown): Readonly<Record<string, string>> {
  const pairs = Object.entries(asRecord(labels));
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}
