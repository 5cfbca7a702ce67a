/** Decisions, of whoever takes them, as the run record shows them. */
import type { LoggedDecision } from '../../traces/run-result.js';
import type { Sim } from './state.js';

export function logDecision(
  sim: Sim,
  decidedBy: LoggedDecision['decidedBy'],
  summary: string,
  because: string,
  nowUs: number,
  decision: LoggedDecision['decision'] = null,
): void {
  sim.decisions.push({ atUs: nowUs, entry: { atSeconds: nowUs / 1e6, decidedBy, summary, decision, because } });
}
