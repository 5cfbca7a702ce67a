/**
 * What faults and rollouts of a file name: zones, nodes, services, loads.
 */
import { rawNodeNames } from './cluster-references.js';
import { checkName, type Names } from './names.js';
import { asList, asRecord, type Raw, type Report } from './raw.js';
import type { Path } from './source.js';

export function checkFaults(
  faults: readonly unknown[],
  cluster: Raw,
  loads: readonly string[],
  rawServices: readonly unknown[],
  withoutMesh: boolean,
  { zones, services, hosts, queues, report }: Names,
): void {
  const nodes = rawNodeNames(cluster, zones);
  for (const [index, fault] of faults.map(asRecord).entries()) {
    const path: Path = ['spec', 'faults', index];
    if (fault['zoneOutage'] !== undefined)
      checkName('WT0303', 'zone', fault['zoneOutage'], zones, [...path, 'zoneOutage'], report);
    if (fault['nodeLoss'] !== undefined)
      checkName('WT0311', 'node', fault['nodeLoss'], nodes, [...path, 'nodeLoss'], report);
    if (fault['nodeDrain'] !== undefined)
      checkName('WT0311', 'node', fault['nodeDrain'], nodes, [...path, 'nodeDrain'], report);
    for (const kind of ['serviceFailure', 'podCrash', 'crashLoop', 'slowPod', 'memoryLeak']) {
      // Containers are of services alone; to fail is open to whatever is called.
      const known = kind === 'serviceFailure' ? [...new Set([...hosts, ...services]), ...queues] : services;
      if (fault[kind] !== undefined)
        checkName('WT0301', 'service', asRecord(fault[kind])['service'], known, [...path, kind, 'service'], report);
    }
    for (const kind of ['retryStorm', 'loadBurst'])
      if (fault[kind] !== undefined)
        checkName('WT0313', 'load', asRecord(fault[kind])['load'], loads, [...path, kind, 'load'], report);
    checkLeak(asRecord(fault['memoryLeak'])['service'], rawServices, [...path, 'memoryLeak'], report);
    if (fault['istiodDown'] !== undefined && withoutMesh)
      report('WT0401', [...path, 'istiodDown'], {
        message: 'without a mesh there is no Istiod',
        expected: 'routing: istio, or another fault',
        atKey: true,
      });
    checkPair(asRecord(fault['linkLatency'])['between'], [...path, 'linkLatency', 'between'], zones, report);
    checkPair(asRecord(fault['linkLoss'])['between'], [...path, 'linkLoss', 'between'], zones, report);
    checkPair(fault['zonePartition'], [...path, 'zonePartition'], zones, report);
  }
}

function checkPair(pair: unknown, path: Path, zones: readonly string[], report: Report): void {
  const names = asList(pair);
  for (const [end, zone] of names.entries()) checkName('WT0303', 'zone', zone, zones, [...path, end], report);
  if (names.length === 2 && names[0] === names[1])
    report('WT0207', path, { message: 'a pair of one zone with itself', expected: 'two different zones' });
}

/** What leaks for ever without a limit would take its whole node along, which is not simulated. */
function checkLeak(name: unknown, services: readonly unknown[], path: Path, report: Report): void {
  const service = services.map(asRecord).find((candidate) => candidate['name'] === name);
  if (typeof name !== 'string' || service === undefined) return;
  if (asRecord(asRecord(service['resources'])['limits'])['memory'] === undefined)
    report('WT0401', [...path, 'service'], {
      message: `${name} has no memory limit to be killed at`,
      expected: 'a service with limits.memory',
    });
}

export function checkRolloutNames(rollouts: readonly unknown[], { services, report }: Names): void {
  for (const [index, rollout] of rollouts.map(asRecord).entries())
    checkName('WT0301', 'service', rollout['service'], services, ['spec', 'rollouts', index, 'service'], report);
}
