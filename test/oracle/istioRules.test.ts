/** Which objects `kubectl apply` takes in a cluster with Istio, against its own answers in istio/answers (README.md). */
import test from 'ava';
import { checkMeshObject, type RuleReport } from '../../scenarios/destination-rule.js';
import { checkVirtualService } from '../../scenarios/virtual-service.js';
import { istioCasesOf } from './cases.js';

type Spec = Readonly<Record<string, unknown>>;
type Case = readonly [spec: Spec, refusal: 'schema' | 'webhook' | 'order' | null];

const ENDPOINTS = new Map([
  ['web', ['list']],
  ['api', ['list']],
]);

const KINDS = {
  'destination-rules': 'DestinationRule',
  'locality-settings': 'DestinationRule',
  'virtual-services': 'VirtualService',
} as const;

for (const [release, istioMinor] of [
  ['1.30', 30],
  ['1.31', 31],
] as const)
  for (const [name, kind] of Object.entries(KINDS))
    test(`${name}: taken and refused as by Istio ${release}`, (t) => {
      const differing = istioCasesOf<Case>(release, name).flatMap(([spec, refusal]) => {
        const found = problemsOf(kind, spec, istioMinor);
        // Istiod takes them, and Envoy then refuses the whole cluster.
        const own = found.every((problem) => problem.includes('Envoy refuses'));
        const agrees = refusal === null ? own : found.length > 0;
        return agrees ? [] : [{ spec: JSON.stringify(spec), refusal, found }];
      });
      t.deepEqual(differing, []);
    });

function problemsOf(kind: 'DestinationRule' | 'VirtualService', spec: Spec, istioMinor: number): readonly string[] {
  const found: string[] = [];
  const to: RuleReport = {
    zones: ['eu/a'],
    localities: ['eu/a'],
    mesh: { istioMinor, selfDiscovery: false },
    report: (_, path, { message }) => found.push(`${path.join('.')}: ${message}`),
    unmodelled: () => undefined,
  };
  const object = { apiVersion: 'networking.istio.io/v1', kind, metadata: { name: 'one' }, spec };
  if (kind === 'DestinationRule') checkMeshObject(object, [], to);
  else checkVirtualService(object, [], ENDPOINTS, to);
  return found;
}
