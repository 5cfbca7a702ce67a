import test from 'ava';
import fc from 'fast-check';
import { compileProgram } from '../../sim/program.js';
import { findNext, take } from '../../sim/kernel/wheel.js';
import { freeRecord, KEY, takeRecord, WORDS } from '../../sim/kernel/records.js';
import { CFS_PERIOD_US, resetSharedCpu } from '../../sim/sharedCpu.js';
import { completeDue, cpuUsedUs, joinCpu } from '../../sim/sharing.js';
import { createWorld } from '../../sim/world.js';
import { processorSharing } from '../models/processorSharing.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { aScenario } from './builders.js';

/** Completion times of jobs on one shared CPU, through the event queue, and the CPU time used. */
function simulateJobs(
  jobs: readonly { readonly atUs: number; readonly demandUs: number }[],
  coreCount: number,
  quotaUs: number,
): { doneUs: number[]; cpuUs: number } {
  const world = createWorld(compileProgram(aScenario({ loads: [] })), 1, [1, 1], []);
  const { words, doubles } = world.records;
  world.podShares[0] = 1;
  resetSharedCpu(world.sharing[0]!, coreCount, quotaUs, 0);
  const order = jobs.map((_, i) => i).sort((a, b) => jobs[a]!.atUs - jobs[b]!.atUs || a - b);
  const jobOf = new Map<number, number>();
  const doneUs = jobs.map(() => -1);
  let next = 0;
  let lastUs = 0;
  for (;;) {
    const arrivalUs = next < order.length ? jobs[order[next]!]!.atUs : Infinity;
    const offset = findNext(world.queue, words, arrivalUs);
    const eventUs = offset < 0 ? Infinity : world.queue.blockStartUs + offset;
    if (eventUs === Infinity && arrivalUs === Infinity) break;
    if (eventUs < arrivalUs) {
      const timer = take(world.queue, words, offset);
      const current = words[timer * WORDS + KEY] === world.sharing[0]!.stamp;
      freeRecord(world.records, timer);
      if (!current) continue;
      for (
        let id = completeDue(world, words, doubles, 0, eventUs);
        id >= 0;
        id = completeDue(world, words, doubles, 0, eventUs)
      ) {
        doneUs[jobOf.get(id)!] = eventUs;
        lastUs = eventUs;
        freeRecord(world.records, id);
      }
    } else {
      const id = takeRecord(world.records);
      jobOf.set(id, order[next]!);
      joinCpu(world, words, doubles, 0, id, jobs[order[next]!]!.demandUs, arrivalUs);
      next++;
    }
  }
  return { doneUs, cpuUs: cpuUsedUs(world, 0, lastUs) };
}

/** Events fall on whole microseconds, up to one late; what a job was given beyond its demand goes to the others. */
const ROUNDING_US = 2;

const job = fc.record({ atUs: fc.nat(3000), demandUs: fc.integer({ min: 1, max: 2000 }) });

test(`jobs on shared cores finish when the slow twin says ${SEED_NOTE}`, (t) => {
  fc.assert(
    fc.property(fc.array(job, { minLength: 1, maxLength: 12 }), fc.constantFrom(1, 2, 4), (jobs, coreCount) => {
      const expected = processorSharing(jobs, coreCount, Infinity, CFS_PERIOD_US);
      const { doneUs } = simulateJobs(jobs, coreCount, Infinity);
      return doneUs.every((done, i) => Math.abs(done - expected[i]!) <= ROUNDING_US);
    }),
    { seed: SEED, numRuns: 200 },
  );
  t.pass();
});

test(`the same under a CFS quota ${SEED_NOTE}`, (t) => {
  const longJob = fc.record({ atUs: fc.nat(150_000), demandUs: fc.integer({ min: 1, max: 90_000 }) });
  fc.assert(
    fc.property(
      fc.array(longJob, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(20_000, 50_000, 130_000),
      (jobs, quotaUs) => {
        const expected = processorSharing(jobs, 2, quotaUs, CFS_PERIOD_US);
        const { doneUs } = simulateJobs(jobs, 2, quotaUs);
        return doneUs.every((done, i) => Math.abs(done - expected[i]!) <= ROUNDING_US);
      },
    ),
    { seed: SEED, numRuns: 200 },
  );
  t.pass();
});

test(`CPU microseconds are conserved exactly on one core, quota or not ${SEED_NOTE}`, (t) => {
  fc.assert(
    fc.property(fc.array(job, { minLength: 1, maxLength: 30 }), fc.constantFrom(Infinity, 50_000), (jobs, quotaUs) => {
      const { cpuUs } = simulateJobs(jobs, 1, quotaUs);
      return Math.round(cpuUs * 1e6) / 1e6 === jobs.reduce((sum, { demandUs }) => sum + demandUs, 0);
    }),
    { seed: SEED, numRuns: 300 },
  );
  t.pass();
});

test('B12 worked: 80 ms of work under a limit of 500m takes 130 ms: 50 run, 50 throttled, 30 run', (t) => {
  t.deepEqual(simulateJobs([{ atUs: 0, demandUs: 80_000 }], 4, 50_000).doneUs, [130_000]);
});

test('B12 worked: four busy threads use up a quota of 50 ms in 12.5 ms and then stall for 87.5 ms', (t) => {
  const jobs = Array.from({ length: 4 }, () => ({ atUs: 0, demandUs: 12_600 }));
  // 12.5 ms of each are done when the quota ends; the last 0.1 ms run in the next period.
  t.deepEqual(simulateJobs(jobs, 4, 50_000).doneUs, [100_100, 100_100, 100_100, 100_100]);
});

// Work of C ms on a quota of q: C + floor((C - eps) / q) x (100 - q). A quota that is just enough does not stall.
const throttled: readonly (readonly [number, number, number])[] = [
  [20, 50, 20],
  [50, 50, 50],
  [51, 50, 101],
  [100, 50, 150],
  [101, 50, 201],
  [80, 20, 320],
  [150, 40, 330],
  [250, 100, 250],
];
for (const [demandMs, quotaMs, expectedMs] of throttled)
  test(`B12: ${demandMs} ms of work on one thread with ${quotaMs} ms a period take ${expectedMs} ms`, (t) => {
    t.is(expectedMs, demandMs + Math.floor((demandMs - 1e-9) / quotaMs) * (100 - quotaMs));
    t.deepEqual(simulateJobs([{ atUs: 0, demandUs: demandMs * 1000 }], 4, quotaMs * 1000).doneUs, [expectedMs * 1000]);
  });
