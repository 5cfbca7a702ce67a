/**
 * A case and the policies to scenarios that the loader has checked. Policies that treat zones alike share one scenario;
 * all scenarios of a case have the same loads and the same streams of chance, so every policy meets the same requests.
 */
import { parseScenario } from '../../../scenarios/load.js';
import type { Problem } from '../../../scenarios/problems.js';
import type { Scenario } from '../../../scenarios/types.js';
import type { Fields, Json, QualityCase } from './cases.js';
import { policyFields, type Locality, type QualityPolicy } from './policies.js';

export interface BuiltPolicy {
  readonly policy: QualityPolicy;
  readonly scenario: Scenario;
  /** Index into the scenario's policies. */
  readonly index: number;
}

/** What differs for a test: another `run`. */
export function buildCase(one: QualityCase, policies: readonly QualityPolicy[], run: Fields = {}): BuiltPolicy[] {
  const localities = [...new Set(policies.map(({ locality }) => locality))];
  const built = localities.flatMap((locality) => {
    const own = policies.filter((policy) => policy.locality === locality);
    const loaded = parseScenario(scenarioText(one, locality, own, run), one.name);
    if ('problems' in loaded)
      throw new Error(`${one.name}, ${locality}: ${loaded.problems.map(problemText).join('\n')}`);
    return own.map((policy, index) => ({ policy, scenario: loaded.scenario, index }));
  });
  return policies.map((policy) => built.find((candidate) => candidate.policy === policy)!);
}

/**
 * Whether this version knows every setting of the policy: false where the loader calls one of the engine's unknown. Any
 * other problem is a mistake of ours and stops `buildCase`.
 */
export function isKnown(one: QualityCase, policy: QualityPolicy): boolean {
  if (policy.engine === undefined) return true;
  const loaded = parseScenario(scenarioText(one, policy.locality, [policy], {}), one.name);
  return !('problems' in loaded && loaded.problems.some(isUnknownSetting));
}

/** WT0201 of an engine's setting. */
function isUnknownSetting({ code, path }: Problem): boolean {
  return code === 'WT0201' && path.includes('.engine.');
}

function scenarioText(one: QualityCase, locality: Locality, policies: readonly QualityPolicy[], run: Fields): string {
  const { spec, trafficPolicy } = one;
  const mesh = (spec['mesh'] ?? {}) as Fields & { readonly objects?: readonly RuleObject[] };
  const services = spec.services.map(({ name }) => name);
  const objects = withLocality(mesh.objects ?? [], services, locality, trafficPolicy);
  const distribution: Fields = locality === 'preferSameZone' ? { trafficDistribution: 'PreferSameZone' } : {};
  return JSON.stringify({
    apiVersion: 'wavetank/v1alpha1',
    kind: 'Scenario',
    metadata: { name: slug(one.name), why: one.about },
    spec: {
      ...spec,
      services: spec.services.map((service) => ({ ...service, ...distribution })),
      mesh: { ...mesh, objects },
      policies: Object.fromEntries(policies.map((policy) => [policy.name, policyFields(policy, one)])),
      run: { ...(spec['run'] as Fields), ...run },
    },
  });
}

interface RuleObject {
  readonly kind: string;
  readonly metadata: Fields & { readonly name: string };
  readonly spec: { readonly host?: string; readonly trafficPolicy?: Fields };
  readonly [key: string]: unknown;
}

/** A DestinationRule for each service: its own with the locality put in, or one that says nothing else. */
function withLocality(
  objects: readonly RuleObject[],
  services: readonly string[],
  locality: Locality,
  common: Fields,
): Json {
  const isRuleOf = (object: RuleObject, service: string): boolean =>
    object.kind === 'DestinationRule' && object.spec.host?.split('.')[0] === service;
  const others = objects.filter((object) => !services.some((service) => isRuleOf(object, service)));
  const rules = services.flatMap((service) => {
    const standing = objects.find((object) => isRuleOf(object, service));
    const { outlierDetection: _outliers, ...own } = standing?.spec.trafficPolicy ?? {};
    const balancer = (own['loadBalancer'] ?? {}) as Fields;
    const treated: Fields = {
      // Without ejections: 0 switches the detector off and leaves the locality on, so that only routes differ.
      ...(locality === 'preferSameZone' ? {} : { outlierDetection: { consecutive5xxErrors: 0 } }),
      ...own,
      ...common,
      ...(locality === 'off' ? { loadBalancer: { ...balancer, localityLbSetting: { enabled: false } } } : {}),
    };
    if (Object.keys(treated).length === 0) return [];
    return [
      {
        apiVersion: 'networking.istio.io/v1',
        kind: 'DestinationRule',
        metadata: { name: standing?.metadata.name ?? service },
        spec: { ...standing?.spec, host: standing?.spec.host ?? service, trafficPolicy: treated },
      },
    ];
  });
  return [...others, ...rules] as unknown as Json;
}

function slug(name: string): string {
  return name.replaceAll('%', 'percent').replaceAll(/[^a-z0-9]+/g, '-');
}

function problemText({ path, message, expected }: Problem): string {
  return `${path}: ${message}${expected === null ? '' : `, expected ${expected}`}`;
}
