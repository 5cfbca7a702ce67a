/** Warm-up and consistent hashing as the proxies of a run obey them. */
import test from 'ava';
import type { Scenario } from '../../scenarios/types.js';
import { setUp } from '../../sim/control/setUp.js';
import { warmFactor } from '../../sim/mesh/warmUp.js';
import { pickPod } from '../../sim/pick.js';
import { compileProgram } from '../../sim/program.js';
import { mix } from '../../sim/random.js';
import { writeRoutes } from '../../sim/routes.js';
import type { World } from '../../sim/world.js';
import { SEED, SEED_NOTE } from '../seed.js';
import { rule } from './anyScenario.js';
import { aLoad, aScenario, aService, runSeeds, staticPolicy } from './builders.js';

const SECOND = 1e6;

function scenarioWith(trafficPolicy: Record<string, unknown>, over: Partial<Scenario> = {}, replicas = 4): Scenario {
  const scenario = aScenario({ services: [aService({ replicas })], ...over });
  return {
    ...scenario,
    mesh: { ...scenario.mesh, destinationRules: [{ service: 0, object: rule(0, trafficPolicy) }] },
    ...over,
  };
}

const worldOf = (scenario: Scenario): World => setUp(compileProgram(scenario), staticPolicy, SEED, null).world;

/** The proxies learn of this list of pods at `nowUs`. */
function learn(world: World, pods: readonly number[], nowUs: number, trafficPolicy: object, version: number): void {
  world.nowUs = nowUs;
  const endpoints = pods.map((index) => ({ index, zone: 'r/a', node: 'n', healthy: true }));
  writeRoutes(world, { service: 0, endpoints, destinationRule: { trafficPolicy }, hints: new Map(), version });
}

/** Picks of the only gateway at one moment. */
function picks(world: World, nowUs: number, draws: number): number[] {
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < draws; i++) {
    world.pickingUser = mix(i + 17);
    const row = world.connectionBase[0]!;
    counts[pickPod(world, 0, world.podBase[1]!, 0, row, mix(i * 2654435761), nowUs)]!++;
  }
  return counts;
}

for (const [name, ageS, aggression, expected] of [
  ['t=6 s', 6, 1, 0.1],
  ['t=30 s', 30, 1, 0.5],
  ['t=15 s, a=2', 15, 2, 0.5],
  ['t=15 s, a=0.5 (the floor of 10 % holds)', 15, 0.5, 0.1],
  ['just learned', 0, 1, 0.1],
  ['at the end of the window', 60, 1, 1],
] as const) {
  test(`A13 worked, window 60 s: ${name} is ${expected}`, (t) => {
    const warmUp = { windowUs: 60 * SECOND, aggression, minimumPercent: 10 };
    t.true(Math.abs(warmFactor(ageS * SECOND, warmUp) - expected) < 1e-12);
  });
}

test(`A13 worked: with three old hosts and one 30 s into its 60 s, round robin gives the new one 0.5/3.5 ${SEED_NOTE}`, (t) => {
  const policy = { loadBalancer: { simple: 'ROUND_ROBIN', warmupDurationSecs: '60s' } };
  const world = worldOf(scenarioWith(policy));
  learn(world, [0, 1, 2], 100 * SECOND, policy, 5);
  learn(world, [0, 1, 2, 3], 200 * SECOND, policy, 6);
  // The weights of the first picks are those of the list's arrival; they wash out.
  picks(world, 230 * SECOND, 200);
  const counts = picks(world, 230 * SECOND, 35_000);
  t.true(Math.abs(counts[3]! - 5000) <= 2, counts.join(' '));
  t.true(counts.slice(0, 3).every((count) => Math.abs(count - 10_000) <= 2));
});

test(`naive 11: one pod in warm-up turns two choices into a schedule, until the next change of endpoints after it ${SEED_NOTE}`, (t) => {
  const policy = { loadBalancer: { warmupDurationSecs: '60s' } };
  const world = worldOf(scenarioWith(policy));
  world.connectionActive.set([3, 3, 0], world.connectionBase[0]);
  const share = (nowUs: number): number => picks(world, nowUs, 60_000)[2]! / 60_000;
  const margin = 5 * Math.sqrt(((5 / 9) * (4 / 9)) / 60_000);

  learn(world, [0, 1, 2], 0, policy, 5);
  t.true(Math.abs(share(10 * SECOND) - 5 / 9) < margin, 'two choices: 1 - (2/3)^2');

  // A fourth pod that has long been gone again leaves the mark: 2 is new, with 3, 3, 0 requests under way.
  learn(world, [0, 1], 20 * SECOND, policy, 6);
  learn(world, [0, 1, 2], 100 * SECOND, policy, 7);
  // At t=130 s: weights 1/4, 1/4 and 0.5/1, so half. Two choices would still give 5/9.
  t.true(Math.abs(share(130 * SECOND) - 1 / 2) < 0.001);
  // The window is over and the schedule still stands: 1 / (1/4 + 1/4 + 1).
  picks(world, 500 * SECOND, 100);
  t.true(Math.abs(share(500 * SECOND) - 2 / 3) < 0.001);
  // The next change of endpoints brings two choices back.
  learn(world, [0, 1, 2], 600 * SECOND, policy, 8);
  t.true(Math.abs(share(600 * SECOND) - 5 / 9) < margin);
});

test(`A12 worked: in a schedule a host of weight 2 with 4 requests under way weighs 2/5 ${SEED_NOTE}`, (t) => {
  // Warm-up factors are the only weights that Istio makes: old hosts weigh 1, one in the middle of its window a half, as
  // 2 and 1 would. With 4 under way an old one weighs 1/5 beside the new one's 1/2, so 2/7 of the picks.
  const policy = { loadBalancer: { warmupDurationSecs: '60s' } };
  const world = worldOf(scenarioWith(policy));
  learn(world, [0], 100 * SECOND, policy, 5);
  learn(world, [0, 1], 200 * SECOND, policy, 6);
  world.connectionActive.set([4, 0], world.connectionBase[0]);
  picks(world, 230 * SECOND, 200);
  const [old] = picks(world, 230 * SECOND, 70_000);
  t.true(Math.abs(old! / 70_000 - 2 / 5 / (2 / 5 + 1)) < 0.0005, `${old}`);
});

test('A13: without a warm-up, and for RANDOM, a new pod gets its full share at once', (t) => {
  const policy = { loadBalancer: { simple: 'RANDOM', warmupDurationSecs: '60s' } };
  const world = worldOf(scenarioWith(policy));
  learn(world, [0, 1, 2], 100 * SECOND, policy, 5);
  learn(world, [0, 1, 2, 3], 200 * SECOND, policy, 6);
  const counts = picks(world, 201 * SECOND, 40_000);
  // Four standard errors of a quarter of 40,000.
  t.true(
    counts.every((count) => Math.abs(count - 10_000) < 4 * Math.sqrt(40_000 * 0.1875)),
    counts.join(' '),
  );
});

for (const table of ['ringHash', 'maglev'] as const) {
  test(`A12: ${table} sends a user always to one pod, and a pod that leaves takes only its own users`, (t) => {
    const policy = { loadBalancer: { consistentHash: { httpHeaderName: 'user', [table]: {} } } };
    const world = worldOf(scenarioWith(policy));
    const pick = (user: number, key: number): number => {
      world.pickingUser = mix(user);
      return pickPod(world, 0, world.podBase[1]!, 0, world.connectionBase[0]!, mix(key), 0);
    };
    const users = Array.from({ length: 3000 }, (_, user) => user);
    const before = users.map((user) => pick(user, user));
    t.deepEqual(
      users.map((user) => pick(user, user + 77)),
      before,
    );
    const perPod = [0, 1, 2, 3].map((pod) => before.filter((at) => at === pod).length);
    // A ring of 256 darts each is uneven by about 1/sqrt(256) = 6 %; four times that, and the chance of 3,000 users.
    t.true(
      perPod.every((count) => Math.abs(count - 750) < 750 * 0.35),
      perPod.join(' '),
    );
    learn(world, [0, 1, 3], 100 * SECOND, policy, 6);
    const moved = users.filter((user) => before[user] !== 2 && pick(user, user) !== before[user]);
    t.true(moved.length / 3000 < 0.2, `${moved.length}`);
    t.true(users.every((user) => pick(user, user) !== 2));
  });
}

test('A12: one user stays at one pod of two zones; users of their own spread over both', (t) => {
  const policy = { loadBalancer: { consistentHash: { httpCookie: { name: 'session' } } } };
  const shares = (users: number | null): number[] => {
    const base = aScenario({
      zones: 2,
      services: [aService({ replicasPerZone: [2, 2], replicas: 4 })],
      loads: [aLoad(100, { users, from: [{ atUs: 0, shares: [0.5, 0.5] }] })],
      run: { durationUs: 60 * SECOND, warmUpUs: 0 },
    });
    const scenario = { ...base, mesh: { ...base.mesh, destinationRules: [{ service: 0, object: rule(0, policy) }] } };
    const [result] = runSeeds(scenario, 1);
    const { requestsByZone } = result!.edges[0]!;
    const toFirst = requestsByZone[0]![0]! + requestsByZone[1]![0]!;
    const all = requestsByZone.flat().reduce((sum, count) => sum + count, 0);
    return [toFirst / all];
  };
  t.true([0, 1].includes(shares(1)[0]!));
  const spread = shares(null)[0]!;
  t.true(spread > 0.35 && spread < 0.65, `${spread}`);
});

test('A15: the connect time-out of a DestinationRule holds on its edge', (t) => {
  const base = aScenario({
    services: [aService({ replicas: 1 })],
    loads: [aLoad(1, { arrivals: 'even' })],
    run: { durationUs: 100 * SECOND, warmUpUs: 0 },
  });
  const failed = (connectTimeout: string): number => {
    const scenario: Scenario = {
      ...base,
      mesh: {
        ...base.mesh,
        destinationRules: [{ service: 0, object: rule(0, { connectionPool: { tcp: { connectTimeout } } }) }],
        virtualServices: [],
      },
      faults: [{ kind: 'nodeLoss', node: 0, atUs: 50 * SECOND, forUs: null }],
    };
    const [result] = runSeeds(scenario, 1);
    return result!.edges[0]!.requests.failed;
  };
  // Sent once a second from 50 s on. Each is tried three times, so those that end before 100 s are the first 50 - 3 with
  // 1 s, and the first 50 - 30 with 10 s; the endpoint drops only about 50 s after the loss.
  const [short, long] = [failed('1s'), failed('10s')];
  t.true(short - long > 20, `${short} ${long}`);
});
