/**
 * One run: a scenario, one of its policies and a seed in, the record of the run out. Pure and synchronous; the same
 * input gives the same bytes. The hot loop runs between control-plane events (sim/control/), which share its arrays.
 */
import type { Scenario } from '../scenarios/types.js';
import type { ReplicationResult } from '../traces/run-result.js';
import { checkRun } from './checkers.js';
import { BUDGET_CHECK_US, checkBudgets } from './control/drain.js';
import { planDrill, stopEngine, type Drill } from './control/drill.js';
import { applyShares, planFaults } from './control/faults.js';
import { planHpas } from './control/hpaControl.js';
import { planNodeAutoscaler } from './control/nodeScaling.js';
import { scrapeUnlessOut } from './control/outages.js';
import { planPreemption } from './control/preempting.js';
import { planRollouts } from './control/rollout.js';
import { foldAllConnections } from './control/slots.js';
import { PROXY_WINDOW_US, shareWithProxies, takesCores } from './control/proxyCores.js';
import { createSeries } from './control/series.js';
import { setUp } from './control/setUp.js';
import { beginWaits } from './control/waits.js';
import type { EngineStep, Sim } from './control/state.js';
import { engineStep } from './engine-adapter.js';
import { runEvents } from './loop.js';
import { compileProgram } from './program.js';
import { beginQueueCounts } from './queues.js';
import { makeResult } from './result.js';
import { beginUsage, endUsage, sampleUsage } from './usage.js';
import { growWorld } from './world.js';

export type { Drill } from './control/drill.js';
export type { EngineStep } from './control/state.js';

export interface SimulateOptions {
  /** Position in `scenario.policies`. */
  readonly policy: number;
  readonly seed: number;
  /** Called with the input and output of every engine step. */
  readonly onSnapshot?: (step: EngineStep) => void;
  /** The engine is dead from then on; null or left out: it lives. */
  readonly engineStopsAtUs?: number | null;
  readonly drill?: Drill | null;
}

export function simulate(scenario: Scenario, options: SimulateOptions): ReplicationResult {
  const policy = scenario.policies[options.policy];
  if (!policy) throw new Error(`scenario ${scenario.name} has no policy number ${options.policy}`);
  const sim = setUp(compileProgram(scenario), policy, options.seed, options.onSnapshot ?? null);
  const { run, loads } = scenario;
  every(sim, 0, run.scrapeUs, (nowUs) => scrapeUnlessOut(sim, nowUs));
  every(sim, run.warmUpUs, run.scrapeUs, (nowUs) => sampleUsage(sim, sim.usage, nowUs));
  planHpas(sim);
  planPreemption(sim);
  planNodeAutoscaler(sim);
  // The phase between scrapes and cycles is arbitrary in a real cluster; half a scrape is its mean.
  if (policy.engine) every(sim, run.cycleUs + run.scrapeUs / 2, run.cycleUs, (nowUs) => engineStep(sim, nowUs, 'all'));
  const { engineStopsAtUs = null, drill = null } = options;
  if (engineStopsAtUs !== null) {
    sim.calendar.at(engineStopsAtUs, (nowUs) => stopEngine(sim, nowUs));
  }
  if (drill) planDrill(sim, drill);
  planFaults(sim);
  planRollouts(sim);
  for (const load of loads)
    for (const { atUs } of load.from.slice(1)) sim.calendar.at(atUs, (nowUs) => applyShares(sim, nowUs));
  if (sim.budgets.length > 0) every(sim, run.warmUpUs, BUDGET_CHECK_US, (nowUs) => checkBudgets(sim, nowUs));
  if (takesCores(sim)) {
    const seenUs = new Float64Array(sim.world.podCount);
    every(sim, PROXY_WINDOW_US, PROXY_WINDOW_US, (nowUs) => shareWithProxies(sim, seenUs, nowUs));
  }
  const recorder = createSeries(sim, run.seriesUs / 1e6);
  sim.calendar.at(run.warmUpUs, (nowUs) => {
    beginMeasuring(sim, nowUs);
    recorder.begin(nowUs);
  });
  every(sim, run.warmUpUs + run.seriesUs, run.seriesUs, (nowUs) => recorder.record(nowUs));

  runTo(sim, sim.endUs);
  endUsage(sim, sim.usage, sim.endUs);
  const checks = checkRun(sim);
  const broken = checks.filter((check) => !check.passed);
  if (broken.length > 0) {
    const list = broken.map((check) => `${check.name}: ${check.detail}`).join('; ');
    throw new Error(
      `the run broke its own rules (scenario ${scenario.name}, policy ${policy.name}, seed ${options.seed}): ${list}`,
    );
  }
  return makeResult(sim, recorder.series, checks);
}

/** Services (positions in the scenario) of the pods that run on each node at the start, one entry a pod. */
export function startingServices(scenario: Scenario, options: { policy: number; seed: number }): number[][] {
  const policy = scenario.policies[options.policy];
  if (!policy) throw new Error(`scenario ${scenario.name} has no policy number ${options.policy}`);
  const program = compileProgram(scenario);
  const { nodes } = setUp(program, policy, options.seed, null);
  return nodes.map(({ pods }) => [...pods].map((pod) => program.order[pod.workload.service]!));
}

/** Runs the world to `endUs`; control events at that very moment still happen. */
function runTo(sim: Sim, endUs: number): void {
  for (;;) {
    const nextUs = Math.min(sim.calendar.nextUs(), endUs);
    while (!runEvents(sim.world, nextUs)) growWorld(sim.world);
    if (sim.calendar.nextUs() > endUs) return;
    sim.calendar.runNext();
  }
}

function every(sim: Sim, firstUs: number, periodUs: number, action: (nowUs: number) => void): void {
  const run = (nowUs: number): void => {
    action(nowUs);
    if (nowUs + periodUs <= sim.endUs) sim.calendar.at(nowUs + periodUs, run);
  };
  sim.calendar.at(firstUs, run);
}

/** End of the warm-up: every count of the measured part starts at zero; the state of the world stays. */
function beginMeasuring(sim: Sim, nowUs: number): void {
  const { world } = sim;
  world.measureFromUs = nowUs;
  const { counters } = world;
  for (const counted of Object.values(counters)) {
    if (counted instanceof Float64Array || counted instanceof Uint32Array) {
      // What is in the system stays in it; everything else starts again.
      if (counted !== counters.inSystem) counted.fill(0);
    }
  }
  counters.areaAtUs.fill(nowUs);
  for (const queue of world.queues) beginQueueCounts(queue, nowUs);
  foldAllConnections(world);
  counters.edgeZoneRequests.fill(0);
  counters.edgeZoneBytes.fill(0);
  beginUsage(sim, sim.usage, nowUs);
  beginWaits(sim);
}
