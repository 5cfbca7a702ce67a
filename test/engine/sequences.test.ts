/** Many steps in a row, each carried out: no budget is ever broken, and no count turns back within its cool-down. */
import test from 'ava';
import fc from 'fast-check';
import { emptyMemory, step, type KubeObject, type SnapshotPod } from '../../engine/index.js';
import { slowDisruptionsAllowed } from '../models/slowBudget.js';
import { SEED } from '../seed.js';
import { aNode, aPod, aSnapshot, aWorkload, anInput, deepFreeze, GIB, NOW_MS } from './fixtures.js';

test.before((t) => t.log(`WAVETANK_SEED=${SEED}`));

const CYCLE_SECONDS = 30;
const percent = fc.nat(100).map((share): `${number}%` => `${share}%`);
const limit = fc.oneof(
  fc.record({ minAvailable: fc.oneof(fc.nat(6), percent) }),
  fc.record({ maxUnavailable: fc.oneof(fc.nat(3), percent) }),
);
const world = fc.record({
  replicas: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 3 }),
  budgets: fc.array(fc.record({ limit, of: fc.option(fc.nat(2)) }), { maxLength: 3 }),
  /** Millicores of 1000 that each workload's pods use, cycle by cycle; an odd last digit lets one pod be unready. */
  loads: fc.array(fc.array(fc.constantFrom(1, 50, 150, 151, 500, 900, 2000), { minLength: 3, maxLength: 3 }), {
    minLength: 3,
    maxLength: 10,
  }),
  human: fc.array(fc.record({ cycle: fc.nat(9), workload: fc.nat(2), by: fc.constantFrom(-2, -1, 1, 2) }), {
    maxLength: 3,
  }),
  cooldownSeconds: fc.constantFrom(0, 45, 90),
});

test('no sequence of steps breaks a budget or turns a count back within its cool-down', (t) => {
  let removals = 0;
  let heldBack = 0;
  fc.assert(
    fc.property(world, (w) => {
      const budgets: KubeObject[] = w.budgets.map((one, i) => ({
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: `b${i}`, namespace: 'default' },
        spec: { ...one.limit, selector: one.of === null ? {} : { matchLabels: { app: `w${one.of}` } } },
      }));
      const selects = (budget: number, workload: number): boolean =>
        w.budgets[budget]!.of === null || w.budgets[budget]!.of === workload;
      const fleets = w.replicas.map((count, workload) => Array.from({ length: count }, (_, i) => `w${workload}-${i}`));
      let made = 100;
      let memory = emptyMemory;
      const countBefore = w.replicas.map(() => -1);
      const changes: { workload: number; atSeconds: number; by: number }[] = [];
      w.loads.forEach((loads, cycle) => {
        const atSeconds = cycle * CYCLE_SECONDS;
        fleets.forEach((fleet, workload) => {
          const before = fleet.length;
          for (const { by } of w.human.filter((one) => one.cycle === cycle && one.workload === workload)) {
            if (by > 0) for (let i = 0; i < by; i++) fleet.push(`w${workload}-${made++}`);
            else fleet.splice(0, Math.min(-by, fleet.length - 1));
          }
          const by = fleet.length - before;
          // Nothing is known before the first look, and who takes back just what we added is not seen.
          if (cycle > 0 && by !== 0 && !(by < 0 && fleet.length === countBefore[workload]))
            changes.push({ workload, atSeconds, by });
          countBefore[workload] = fleet.length;
        });
        const pods = fleets.flatMap((fleet, workload) =>
          fleet.map((name, i): SnapshotPod =>
            aPod(`w${workload}`, `n-${'abc'[i % 3]!}`, name, loads[workload], {
              labels: { app: `w${workload}` },
              ready: loads[workload]! % 2 === 0 || i > 0,
            }),
          ),
        );
        const snapshot = aSnapshot({
          nodes: ['a', 'b', 'c'].map((zone) =>
            aNode(`n-${zone}`, `eu/${zone}`, { allocatable: { cpuMillicores: 64_000, memoryBytes: 99 * GIB } }),
          ),
          workloads: fleets.map((fleet, i) =>
            aWorkload(`w${i}`, fleet.length, {
              readyReplicas: pods.filter(({ workload, ready }) => workload === `w${i}` && ready).length,
            }),
          ),
          pods,
          podDisruptionBudgets: budgets,
        });
        const input = anInput(snapshot, {
          memory,
          nowMs: NOW_MS + atSeconds * 1000,
          scaler: { cooldownSeconds: w.cooldownSeconds },
          balancer: { enabled: false },
        });
        const output = step(deepFreeze(input));
        memory = output.memory;
        heldBack += output.skipped.filter(({ reason }) => reason === 'disruptionBudget').length;
        const victims: string[] = [];
        for (const decision of output.decisions) {
          if (decision.kind !== 'scaleDown' && decision.kind !== 'scaleUp') continue;
          const workload = Number(decision.workload.name.slice(1));
          const by = decision.replicasTo - decision.replicasFrom;
          for (const change of changes) {
            if (change.workload !== workload || Math.sign(change.by) === Math.sign(by)) continue;
            t.true(atSeconds - change.atSeconds >= w.cooldownSeconds, JSON.stringify({ w, decision, changes }));
          }
          changes.push({ workload, atSeconds, by });
          if (decision.kind === 'scaleDown') victims.push(...decision.victims.map(({ pod }) => pod));
          else for (let i = 0; i < by; i++) fleets[workload]!.push(`w${workload}-${made++}`);
        }
        const workloadOf = (name: string): number => Number(/^w(\d+)/.exec(name)![1]);
        for (const victim of victims) {
          const guards = w.budgets.filter((_, budget) => selects(budget, workloadOf(victim)));
          t.true(guards.length <= 1, JSON.stringify(w));
        }
        w.budgets.forEach(({ limit: spec }, budget) => {
          const mine = pods.filter((pod) => selects(budget, workloadOf(pod.name)));
          const gone = victims.filter((name) => selects(budget, workloadOf(name)));
          if (mine.length === 0 || gone.length === 0) return;
          const healthy = mine.filter(({ ready }) => ready).length;
          const allowed = slowDisruptionsAllowed(spec, mine.length, healthy, mine.length);
          t.true(gone.length <= allowed, JSON.stringify({ w, cycle, gone, allowed }));
        });
        removals += victims.length;
        fleets.forEach((fleet, i) => (fleets[i] = fleet.filter((name) => !victims.includes(name))));
      });
    }),
    { seed: SEED, numRuns: 400 },
  );
  t.log(`${removals} removals, ${heldBack} held back`);
  t.true(removals > 100 && heldBack > 20);
});
