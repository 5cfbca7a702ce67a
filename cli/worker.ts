/**
 * One process of the pool (`pool.ts`): receives a scenario once, then runs one job after the other. Everything that
 * decides a result is in the job; the process only lends its core. Snapshots are written here, as sending them back
 * would cost more than making them.
 */
import { simulate } from '../sim/index.js';
import type { FromWorker, ToWorker } from './pool-messages.js';
import type { Scenario } from '../scenarios/types.js';
import { writeSnapshots } from './snapshot-files.js';

let scenario: Scenario | null = null;

const reply = (message: FromWorker): void => {
  process.send!(message);
};

process.on('message', (message: ToWorker) => {
  if (message.kind === 'scenario') {
    scenario = message.scenario;
    return;
  }
  const { job, dumpTo, policy, seed, drill } = message;
  try {
    const result = simulate(scenario!, {
      policy,
      seed,
      drill,
      engineStopsAtUs: drill?.atUs ?? null,
      ...(dumpTo === null ? {} : { onSnapshot: writeSnapshots(dumpTo, scenario!.policies[policy]!.name, seed) }),
    });
    reply({ kind: 'done', job, result });
  } catch (error) {
    reply({ kind: 'failed', job, message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});

// Ctrl-C in a terminal reaches the whole process group: the parent decides what is kept, so that workers must not die
// on their own. When the parent is gone, nobody wants the result.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
reply({ kind: 'ready' });
