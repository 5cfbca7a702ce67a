/**
 * The policies of a file: whom they extend, the services that they speak of, figures of their autoscalers, and the rules of
 * the mesh that they replace or remove.
 */
import { checkRules, type RulesByService } from './mesh-references.js';
import { checkKeys, checkName, type Names } from './names.js';
import { SIDECAR_CONTAINER } from './policies.js';
import { asList, asRecord, own, type Raw } from './raw.js';
import type { Path } from './source.js';

export function checkPolicies(policies: Raw, meshRules: RulesByService, names: Names): void {
  const { report, services } = names;
  const policyNames = Object.keys(policies);
  for (const [name, raw] of Object.entries(policies)) {
    const policy = asRecord(raw);
    const path: Path = ['spec', 'policies', name];
    if (policy['extends'] !== undefined)
      checkName('WT0304', 'policy', policy['extends'], policyNames, [...path, 'extends'], report);
    const chain = extendsChain(name, policies);
    if (chain.at(-1) === name && chain.length > 1)
      report('WT0304', [...path, 'extends'], { message: `the policies extend each other: ${chain.join(' -> ')}` });
    checkKeys('WT0301', 'service', policy['hpa'], services, [...path, 'hpa'], report);
    checkKeys('WT0301', 'service', policy['spread'], services, [...path, 'spread'], report);
    checkKeys(
      'WT0301',
      'service',
      asRecord(policy['engine'])['workloads'],
      services,
      [...path, 'engine', 'workloads'],
      report,
    );
    for (const [index, service] of asList(policy['deploymentPerZone']).entries())
      checkName('WT0301', 'service', service, services, [...path, 'deploymentPerZone', index], report);
    for (const [service, hpa] of Object.entries(asRecord(policy['hpa'])).map(
      ([key, value]) => [key, asRecord(value)] as const,
    )) {
      const { min, max } = hpa;
      if (typeof min === 'number' && typeof max === 'number' && min > max)
        report('WT0205', [...path, 'hpa', service, 'max'], {
          message: `max is below min, ${min}`,
          expected: `a whole number of at least ${min}`,
        });
      checkMetrics(hpa, service, [...path, 'hpa', service], names);
    }
    checkRules(
      asList(policy['destinationRules']),
      [...path, 'destinationRules'],
      inheritedRules(chain, policies, meshRules, names),
      names,
    );
  }
}

function checkMetrics(hpa: Raw, service: string, path: Path, names: Names): void {
  const { report, services, queues, hasSidecars } = names;
  if (hpa['metrics'] !== undefined && hpa['targetCpu'] !== undefined)
    report('WT0207', [...path, 'metrics'], {
      message: 'metrics and targetCpu stand together',
      expected: 'one of them: targetCpu is short for one metric on CPU',
    });
  for (const [index, metric] of asList(hpa['metrics']).entries()) {
    const { object, external, containerResource } = asRecord(metric);
    const named = asRecord(asRecord(object)['describedObject'])['name'];
    const labels = asRecord(asRecord(asRecord(asRecord(external)['metric'])['selector'])['matchLabels']);
    const at: Path = [...path, 'metrics', index];
    const { container } = asRecord(containerResource);
    const containers = [service, ...(hasSidecars ? [SIDECAR_CONTAINER] : [])];
    if (container !== undefined)
      checkName('WT0301', 'container', container, containers, [...at, 'containerResource', 'container'], report);
    if (named !== undefined)
      checkName('WT0301', 'service', named, services, [...at, 'object', 'describedObject', 'name'], report);
    if (labels['service'] !== undefined)
      checkName(
        'WT0301',
        'service',
        labels['service'],
        services,
        [...at, 'external', 'metric', 'selector', 'matchLabels', 'service'],
        report,
      );
    const queuePath = [...at, 'external', 'metric', 'selector', 'matchLabels', 'queue'];
    if (labels['queue'] !== undefined) checkName('WT0315', 'queue', labels['queue'], queues, queuePath, report);
    if (labels['queue'] !== undefined && asRecord(asRecord(external)['metric'])['name'] === 'requests_per_second')
      report('WT0207', [...at, 'external', 'metric', 'name'], {
        message: 'of a queue its length is known',
        expected: 'queue_length',
      });
  }
}

/** The policy, what it extends, and so on; ends early at an unknown name, and with the first name met again. */
function extendsChain(name: string, policies: Raw): readonly string[] {
  const chain = [name];
  for (;;) {
    const next = asRecord(own(policies, chain.at(-1)))['extends'];
    if (typeof next !== 'string' || !Object.hasOwn(policies, next)) return chain;
    const again = chain.includes(next);
    chain.push(next);
    if (again) return chain;
  }
}

/** Rules in force under the policies that one extends, the farthest first. Problems there are reported at home. */
function inheritedRules(
  chain: readonly string[],
  policies: Raw,
  meshRules: RulesByService,
  names: Names,
): RulesByService {
  const silent: Names = {
    ...names,
    report: () => {},
    rule: { ...names.rule, report: () => {}, unmodelled: () => {} },
  };
  const ancestors = [...new Set(chain.slice(1))].filter((name) => name !== chain[0]).reverse();
  return ancestors.reduce(
    (rules, name) => checkRules(asList(asRecord(policies[name])['destinationRules']), [], rules, silent),
    meshRules,
  );
}
