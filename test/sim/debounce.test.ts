/** Istiod's pushes in the run: one debounce over all services, then the time of the push. */
import test from 'ava';
import fc from 'fast-check';
import type { Fault } from '../../scenarios/types.js';
import { planRoutes } from '../../sim/control/endpoints.js';
import { planFaults } from '../../sim/control/faults.js';
import { setUp } from '../../sim/control/setUp.js';
import { pushTimes } from '../../sim/mesh/debounce.js';
import { compileProgram } from '../../sim/program.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { aScenario, aService, staticPolicy } from './builders.js';

const MS = 1000;
const DEBOUNCE = { quietUs: 100 * MS, maxUs: 10_000 * MS };

interface Change {
  readonly atUs: number;
  readonly service: number;
}

/** When the proxies get new routes of each service. */
function routesWritten(
  changes: readonly Change[],
  debounce = DEBOUNCE,
  faults: readonly Fault[] = [],
): { atUs: number; services: number[] }[] {
  const scenario = aScenario({ services: [aService({ name: 'a' }), aService({ name: 'b' })] });
  const mesh = { ...scenario.mesh, debounce, propagationUs: 40 * MS };
  const sim = setUp(compileProgram({ ...scenario, mesh, faults }), staticPolicy, SEED, null);
  planFaults(sim);
  for (const { atUs, service } of changes)
    sim.calendar.at(atUs, (nowUs) => {
      sim.world.nowUs = nowUs;
      planRoutes(sim, service, nowUs);
    });
  const written: { atUs: number; services: number[] }[] = [];
  while (sim.calendar.nextUs() < Infinity) {
    const atUs = sim.calendar.nextUs();
    const before = [...sim.routeVersion];
    sim.calendar.runNext();
    const services = [0, 1].filter((service) => sim.routeVersion[service] !== before[service]);
    if (services.length === 0) continue;
    if (written.at(-1)?.atUs === atUs) written.at(-1)!.services.push(...services);
    else written.push({ atUs, services });
  }
  return written;
}

test('A18: changes of two services within the quiet time travel in one push, 40 ms behind it', (t) => {
  // The second change, at 60 ms, starts the quiet time anew: pushed at 160 ms. The third is alone.
  const changes = [
    { atUs: 0, service: 0 },
    { atUs: 60 * MS, service: 1 },
    { atUs: 500 * MS, service: 1 },
  ];
  t.deepEqual(routesWritten(changes), [
    { atUs: 200 * MS, services: [0, 1] },
    { atUs: 640 * MS, services: [1] },
  ]);
});

test('A18: a change at the very moment of a look is in its push', (t) => {
  const changes = [
    { atUs: 0, service: 0 },
    { atUs: 100 * MS, service: 0 },
  ];
  // The look at 100 ms finds a change that is 0 ms old; the next one, at 200 ms, pushes both.
  t.deepEqual(routesWritten(changes), [{ atUs: 240 * MS, services: [0] }]);
});

test('A18: what changes while Istiod is down is pushed once it is back and has gathered it', (t) => {
  const changes = [
    { atUs: 950 * MS, service: 0 },
    { atUs: 2000 * MS, service: 1 },
  ];
  // Down from 1 s to 3 s: the batch of 950 ms would be pushed at 1050 ms.
  const down: Fault = { kind: 'istiodDown', atUs: 1000 * MS, forUs: 2000 * MS, rampUs: 0 };
  t.deepEqual(routesWritten(changes, DEBOUNCE, [down]), [{ atUs: 3140 * MS, services: [0, 1] }]);
});

test(`pushes in a run are those of the pure function ${SEED_NOTE}`, (t) => {
  const change = fc.record({ atUs: fc.nat(60).map((ms) => ms * MS), service: fc.constantFrom(0, 1) });
  const rule = fc.record({
    quietUs: fc.integer({ min: 1, max: 6 }).map((ms) => ms * MS),
    maxUs: fc.nat(15).map((ms) => ms * MS),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), rule, (unsorted, debounce) => {
      const changes = [...unsorted].sort((a, b) => a.atUs - b.atUs);
      const pushes = pushTimes(
        changes.map(({ atUs }) => atUs),
        debounce,
      );
      const expected = [...new Set(pushes)].map((pushUs) => ({
        atUs: pushUs + 40 * MS,
        services: [...new Set(changes.flatMap(({ service }, i) => (pushes[i] === pushUs ? [service] : [])))].sort(
          (a, b) => a - b,
        ),
      }));
      t.deepEqual(
        routesWritten(changes, debounce).map(({ atUs, services }) => ({
          atUs,
          services: services.sort((a, b) => a - b),
        })),
        expected,
      );
    }),
    { seed: SEED, numRuns: 200 },
  );
});
