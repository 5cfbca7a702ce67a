/**
 * Rules of placement that are right one by one but not together: a spread said twice, one image with two sizes, labels
 * of a pool that its zone decides. Runs on the plain data.
 */
import { SUBZONE_LABEL } from '../engine/locality-match.js';
import { HOSTNAME_LABEL, REGION_LABEL, ZONE_LABEL } from './build-scheduling.js';
import { asList, asRecord } from './raw.js';
import type { Report } from './raw.js';
import type { Path } from './source.js';

type Raw = Readonly<Record<string, unknown>>;

export function checkScheduling(spec: Raw, report: Report): void {
  const services = asList(spec['services']).map(asRecord);
  checkPoolLabels(asList(asRecord(spec['cluster'])['nodePools']).map(asRecord), report);
  checkImages(services, report);
  const isSpreadInFull = (service: Raw): boolean => asList(service['topologySpreadConstraints']).length > 0;
  const detail = {
    message: 'the short form beside topologySpreadConstraints',
    expected: 'one of them: spread is short for a constraint over zones',
    atKey: true,
  };
  for (const [index, service] of services.entries())
    if (isSpreadInFull(service) && service['spread'] !== undefined)
      report('WT0207', ['spec', 'services', index, 'spread'], detail);
  for (const [name, policy] of Object.entries(asRecord(spec['policies'])))
    for (const of of Object.keys(asRecord(asRecord(policy)['spread'])))
      if (services.some((service) => service['name'] === of && isSpreadInFull(service)))
        report('WT0207', ['spec', 'policies', name, 'spread', of], detail);
}

function checkPoolLabels(pools: readonly Raw[], report: Report): void {
  for (const [index, pool] of pools.entries()) {
    if (pool['subzone'] !== undefined && asRecord(pool['labels'])[SUBZONE_LABEL] !== undefined)
      report('WT0207', ['spec', 'cluster', 'nodePools', index, 'labels', SUBZONE_LABEL], {
        message: 'the label that subzone sets',
        expected: 'one of the two',
        atKey: true,
      });
    for (const label of [REGION_LABEL, ZONE_LABEL, HOSTNAME_LABEL])
      if (asRecord(pool['labels'])[label] !== undefined)
        report('WT0207', ['spec', 'cluster', 'nodePools', index, 'labels', label], {
          message: 'a label that every node has already',
          expected: 'no such label: it is that of the zone, or the name of the node',
          atKey: true,
        });
  }
}

function checkImages(services: readonly Raw[], report: Report): void {
  const sizes = new Map<string, unknown>();
  for (const [index, service] of services.entries()) {
    const { name, size } = asRecord(service['image']);
    if (typeof name !== 'string' || size === undefined) continue;
    const path: Path = ['spec', 'services', index, 'image', 'size'];
    if (sizes.has(name) && sizes.get(name) !== size)
      report('WT0305', path, {
        message: `the image ${name} has another size elsewhere`,
        expected: String(sizes.get(name)),
      });
    else sizes.set(name, size);
  }
}
