/** Decisions of node autoscalers, as the record shows them. */
import type { LoggedDecision } from '../../traces/run-result.js';
import type { Sim } from './state.js';

export function logNodeDecision(
  sim: Sim,
  decidedBy: Extract<LoggedDecision['decidedBy'], 'clusterAutoscaler' | 'karpenter'>,
  summary: string,
  because: string,
  nowUs: number,
): void {
  sim.decisions.push({
    atUs: nowUs,
    entry: { atSeconds: nowUs / 1e6, decidedBy, summary, decision: null, because },
  });
}
