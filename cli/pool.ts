/**
 * Runs replications in child processes that stay warm: a job costs its simulation and one message. Processes rather than
 * threads, because each then has its own heap and garbage collector, and one that dies takes nobody with it.
 *
 * Jobs are handed out in order, one at a time per process, as each becomes free; results are put at the place of their
 * job. So which process ran a job, and when it ended, shows nowhere: the number of workers changes no byte.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Scenario } from '../scenarios/types.js';
import type { Drill } from '../sim/index.js';
import type { ReplicationResult } from '../traces/run-result.js';
import type { FromWorker, ToWorker } from './pool-messages.js';

export interface Job {
  readonly scenario: Scenario;
  /** Index into the scenario's policies. */
  readonly policy: number;
  readonly seed: number;
  readonly dumpTo: string | null;
  /** With it the engine is dead from the drill on. */
  readonly drill?: Drill | null;
}

export interface PoolOptions {
  readonly workerFile: URL;
  readonly workers: number;
  readonly interrupt: AbortSignal;
  /** Called after each job, with the number of those done. */
  readonly onProgress: (done: number, total: number) => void;
}

interface Worker {
  readonly child: ChildProcess;
  scenario: Scenario | null;
  job: number;
}

const IDLE = -1;

/** One entry per job, in the order of the jobs; null where an interrupt came first. */
export function runJobs(jobs: readonly Job[], options: PoolOptions): Promise<(ReplicationResult | null)[]> {
  const results: (ReplicationResult | null)[] = jobs.map(() => null);
  if (jobs.length === 0) return Promise.resolve(results);
  return new Promise((resolve, reject) => {
    let next = 0;
    let done = 0;
    let ended = false;
    const workers = new Set<Worker>();

    const end = (error: Error | null): void => {
      if (ended) return;
      ended = true;
      options.interrupt.removeEventListener('abort', onInterrupt);
      // A worker in the middle of a simulation does not read messages: only a signal it cannot catch ends it at once.
      for (const { child } of workers) child.kill('SIGKILL');
      if (error) reject(error);
      else resolve(results);
    };
    const onInterrupt = (): void => end(null);

    const handOut = (worker: Worker): void => {
      if (next === jobs.length) {
        worker.job = IDLE;
        return;
      }
      worker.job = next++;
      const { scenario, policy, seed, dumpTo, drill = null } = jobs[worker.job]!;
      if (worker.scenario !== scenario) send(worker.child, { kind: 'scenario', scenario });
      worker.scenario = scenario;
      send(worker.child, { kind: 'job', job: worker.job, policy, seed, dumpTo, drill });
    };

    const receive = (worker: Worker, message: FromWorker): void => {
      if (ended) return;
      if (message.kind === 'failed') {
        end(new Error(`${nameOf(jobs[message.job]!)} failed: ${message.message}`));
        return;
      }
      if (message.kind === 'done') {
        results[message.job] = message.result;
        options.onProgress(++done, jobs.length);
        if (done === jobs.length) {
          end(null);
          return;
        }
      }
      handOut(worker);
    };

    options.interrupt.addEventListener('abort', onInterrupt);
    if (options.interrupt.aborted) {
      end(null);
      return;
    }
    for (let i = 0; i < Math.min(options.workers, jobs.length); i++) {
      const child = fork(fileURLToPath(options.workerFile), { serialization: 'advanced', execArgv: [] });
      const worker: Worker = { child, scenario: null, job: IDLE };
      workers.add(worker);
      child.on('message', (message: FromWorker) => receive(worker, message));
      child.on('error', (error) => end(error));
      child.on('exit', (code, signal) => {
        const during = worker.job === IDLE ? 'a worker' : nameOf(jobs[worker.job]!);
        end(new Error(`${during}: the worker process ended early (${signal ?? `exit code ${code}`})`));
      });
    }
  });
}

function send(child: ChildProcess, message: ToWorker): void {
  child.send(message);
}

function nameOf({ scenario, policy, seed }: Job): string {
  return `scenario ${scenario.name}, policy ${scenario.policies[policy]!.name}, seed ${seed}`;
}
