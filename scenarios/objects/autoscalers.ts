/**
 * HorizontalPodAutoscalers (v2, and v1 with its single percentage) as a scenario has them: bounds, a CPU target in percent
 * of the request, and `behavior` in Kubernetes' own words. What scales on anything else is left out, with the metric.
 */
import type { Problem } from '../problems.js';
import { asRecord } from '../raw.js';
import { fieldsOf } from './fields.js';
import type { Ledger } from './ledger.js';
import type { KubeObject, Raw } from './read.js';
import type { ImportedService } from './services.js';

export interface ImportedAutoscaler {
  readonly service: string;
  readonly object: KubeObject;
  readonly min: number;
  readonly max: number;
  readonly targetCpuPercent: number | null;
  readonly behavior: Raw | null;
}

const RULE_KEYS = ['stabilizationWindowSeconds', 'selectPolicy', 'tolerance', 'policies'];

export function readAutoscalers(
  objects: readonly KubeObject[],
  services: readonly ImportedService[],
  ledger: Ledger,
  problems: Problem[],
): readonly ImportedAutoscaler[] {
  const scaled = new Set<string>();
  return objects
    .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
    .flatMap((object) => {
      const fields = fieldsOf(object, problems);
      const kind = fields.text(['spec', 'scaleTargetRef', 'kind']);
      const name = fields.text(['spec', 'scaleTargetRef', 'name']);
      const target = services.find(
        ({ workload }) => workload.namespace === object.namespace && workload.kind === kind && workload.name === name,
      );
      const max = fields.whole(['spec', 'maxReplicas'], 1);
      if (fields.value(['spec', 'maxReplicas']) === undefined)
        problems.push(object.problem('WT0202', ['spec', 'maxReplicas'], { message: 'missing key "maxReplicas"' }));
      const { percent, unread } = cpuTarget(object, problems);
      if (target === undefined || max === undefined) {
        ledger.leaveOut(object, `scales ${kind ?? 'nothing'} ${name ?? ''}, which is no service here`);
        return [];
      }
      if (percent === undefined) {
        ledger.leaveOut(object, `scales on ${unread.join(', ')}: only CPU utilisation is simulated`);
        return [];
      }
      if (scaled.has(target.name)) {
        ledger.leaveOut(object, `a second autoscaler of ${target.name}`);
        return [];
      }
      scaled.add(target.name);
      ledger.use(object);
      for (const metric of unread) ledger.note(object, `its metric ${metric} is not simulated`);
      const least = fields.whole(['spec', 'minReplicas']) ?? 1;
      if (least === 0) ledger.note(object, 'minReplicas 0 is not simulated: 1 instead');
      return [
        {
          ...{ service: target.name, object, min: Math.max(1, least), max, targetCpuPercent: percent },
          behavior: behaviorOf(fields.value(['spec', 'behavior']), object, ledger),
        },
      ];
    });
}

/** Null: no metric at all, for which Kubernetes takes its own default. Undefined: none that is simulated. */
function cpuTarget(
  object: KubeObject,
  problems: Problem[],
): { readonly percent: number | null | undefined; readonly unread: readonly string[] } {
  const fields = fieldsOf(object, problems);
  const old = fields.whole(['spec', 'targetCPUUtilizationPercentage'], 1);
  if (old !== undefined) return { percent: old, unread: [] };
  const metrics = fields.list(['spec', 'metrics']);
  if (metrics.length === 0) return { percent: null, unread: [] };
  let percent: number | undefined;
  const unread: string[] = [];
  for (const [index, metric] of metrics.entries()) {
    const isCpu = metric['type'] === 'Resource' && asRecord(metric['resource'])['name'] === 'cpu';
    const at = ['spec', 'metrics', index, 'resource', 'target', 'averageUtilization'];
    const wanted = isCpu ? fields.whole(at, 1) : undefined;
    if (wanted !== undefined && percent === undefined) percent = wanted;
    else unread.push(metricName(metric));
  }
  return { percent, unread };
}

function metricName(metric: Raw): string {
  const type = String(metric['type']);
  const inner = asRecord(metric[type.charAt(0).toLowerCase() + type.slice(1)]);
  const { averageValue, value } = asRecord(inner['target']);
  const name = inner['name'] ?? asRecord(inner['metric'])['name'];
  const parts = [type, name, averageValue ?? value];
  return parts.filter((part) => typeof part === 'string' || typeof part === 'number').join(' ');
}

function behaviorOf(value: unknown, object: KubeObject, ledger: Ledger): Raw | null {
  const rules = ['scaleUp', 'scaleDown'].flatMap((way) => {
    const rule = asRecord(asRecord(value)[way]);
    for (const key of Object.keys(rule))
      if (!RULE_KEYS.includes(key)) ledger.note(object, `behavior.${way}.${key} is not simulated`);
    const kept = Object.entries(rule).filter(([key]) => RULE_KEYS.includes(key));
    return kept.length === 0 ? [] : [[way, Object.fromEntries(kept)] as const];
  });
  return rules.length === 0 ? null : Object.fromEntries(rules);
}
