/**
 * The cases of the decision-quality table: every library scenario, and the hot zone in the variants that tell policies
 * apart. A case is plain data, a scenario file without policies, and what every policy may use: the bounds and targets of
 * the autoscalers. The engine gets the same bounds.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { LIBRARY_NAMES, type LibraryName } from '../../../scenarios/library.js';
import { CYCLE, hotZoneCases } from './hot-zone.js';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Fields = Readonly<Record<string, Json>>;

export interface QualityCase {
  readonly name: string;
  /** What one sees here and nowhere else. */
  readonly about: string;
  /** The scenario's `spec` without `policies` and `expectations`. */
  readonly spec: Fields & { readonly services: readonly (Fields & { readonly name: string })[] };
  /** Of the DestinationRule of every service, whatever the policy. */
  readonly trafficPolicy: Fields;
  /** By service, as in a policy of the scenario file. */
  readonly hpa: Readonly<Record<string, Fields & { readonly min: number; readonly max: number }>>;
  /** `attributed`: what pods are charged for, and transfer; `total`: the whole bill, where nodes come and go. */
  readonly cost: 'attributed' | 'total';
  /** Judged against Istio's locality priority too, as the goal says of a hot zone at 50 %. */
  readonly againstPriority: boolean;
}

export function qualityCases(): readonly QualityCase[] {
  return [...hotZoneCases(), ...LIBRARY_NAMES.map(libraryCase)];
}

interface LibraryPart {
  /** The autoscalers of this policy of the file, or these. */
  readonly hpa: string | QualityCase['hpa'];
  /** What differs in `run`. */
  readonly run?: Fields;
  readonly spec?: Fields;
  readonly cost?: QualityCase['cost'];
}

const LIBRARY: Readonly<Record<LibraryName, LibraryPart>> = {
  'hot-zone': { hpa: 'hpa' },
  'zone-outage': { hpa: 'hpa' },
  'online-boutique': { hpa: 'hpa' },
  'diurnal-with-burst': { hpa: 'hpa' },
  // 670 requests/s of a dozen spans each: a minute holds more than enough of them.
  'irregular-twelve': {
    hpa: {
      edge: { min: 3, max: 10, targetCpu: '60%' },
      catalog: { min: 4, max: 12, targetCpu: '60%' },
      store: { min: 5, max: 16, targetCpu: '60%' },
      order: { min: 2, max: 8, targetCpu: '60%' },
    },
    run: { duration: '1m', warmUp: '1m' },
  },
  // As many pods as there are: the nodes have no room for two more, and the file wants nothing decided.
  'chain-of-three': { hpa: {}, run: { duration: '20s', warmUp: '10s' } },
  'node-autoscaling': { hpa: 'fixed', spec: { nodeAutoscaler: { clusterAutoscaler: {} } }, cost: 'total' },
  'order-queue': { hpa: 'lag' },
};

interface ScenarioFile {
  readonly metadata: { readonly why: string };
  readonly spec: QualityCase['spec'] & {
    readonly run: Fields;
    readonly policies?: Readonly<Record<string, { readonly hpa: QualityCase['hpa'] }>>;
  };
}

function libraryCase(name: LibraryName): QualityCase {
  const file = parse(readFileSync(`scenarios/library/${name}.yaml`, 'utf8')) as ScenarioFile;
  const { policies = {}, expectations: _expectations, run, ...spec } = file.spec;
  const part = LIBRARY[name];
  return {
    name,
    about: file.metadata.why.replaceAll(/\s+/g, ' ').trim(),
    spec: { ...spec, ...part.spec, run: { ...run, cycle: CYCLE, ...part.run } },
    trafficPolicy: {},
    hpa: typeof part.hpa === 'string' ? policies[part.hpa]!.hpa : part.hpa,
    cost: part.cost ?? 'attributed',
    againstPriority: false,
  };
}
