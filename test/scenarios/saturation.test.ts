import test from 'ava';
import { offeredLoad } from '../../scenarios/saturation.js';
import { load, small, SMALL } from './fixtures.js';

test('the traffic equations give what each service is offered', (t) => {
  // 100/s at checkout/pay; each calls ledger with 0.5 x 2 = 1 call: 100/s there.
  // ledger: 100/s x 5 ms = 0.5 busy of 2 x 2 workers. checkout holds its worker while calling: 20 ms + 1 x 5 ms = 25 ms, so
  // 2.5 busy of 4 x 4; its CPU is 100/s x 20 ms = 2 cores of 4 x 1. ledger has no CPU limit.
  const [checkout, ledger] = offeredLoad(load(SMALL));
  t.deepEqual(checkout, { service: 0, requestsPerSecond: 100, busyWorkers: 2.5, workers: 16, busyCores: 2, cores: 4 });
  t.deepEqual(ledger, {
    service: 1,
    requestsPerSecond: 100,
    busyWorkers: 0.5,
    workers: 4,
    busyCores: 0.5,
    cores: null,
  });
});

test('a worker that is not held is busy for its own time only', (t) => {
  const [checkout] = offeredLoad(load(small(['workers: 4', 'workers: 4\n      holdsWorkerWhileCalling: false'])));
  t.is(checkout!.busyWorkers, 2);
});

test('calls at once hold as long as the longest of them', (t) => {
  const text = small([
    '- call: {to: ledger/append, probability: 0.5, count: 2}',
    '- parallel: [ledger, checkout/show]',
  ]);
  // 20 ms + max(5 ms, 1 ms); and 100/s more at checkout/show with 1 ms.
  const [checkout] = offeredLoad(load(text));
  t.is(checkout!.requestsPerSecond, 200);
  t.is(Number(checkout!.busyWorkers.toFixed(9)), 2.6);
});

test('too little CPU is announced with its numbers', (t) => {
  const text = small(['rate: 100/s', 'rate: {base: 100/s, bursts: [{at: 0s, for: 1s, times: 2.5}]}']);
  // 250/s x 20 ms = 5 cores of 4; 6.25 workers of 16 suffice.
  t.deepEqual(load(text).notices, [
    {
      code: 'WT0501',
      message: 'checkout is saturated: 250.0 requests/s at the peak keep 5.00 of 4.00 cores (125%) busy with 4 pods',
      file: 's.yaml',
      line: 10,
    },
  ]);
});

test('too few workers are announced, and a service without pods', (t) => {
  const [few] = load(small(['rate: 100/s', 'rate: 1000/s'], ['limits: {cpu: "1"}', 'limits: {}'])).notices;
  t.is(
    few?.message,
    'checkout is saturated: 1000.0 requests/s at the peak keep 25.0 of 16 workers (156%) busy with 4 pods',
  );
  const [none] = load(small(['replicas: 2', 'replicas: 0'])).notices;
  t.is(none?.message, 'ledger is saturated: 100.0 requests/s at the peak keep 0.5 of 0 workers busy with 0 pods');
});

test('an idle service is no cause for a notice', (t) => {
  const idle =
    '    - {name: idle, resources: {requests: {cpu: 100m, memory: 1Mi}}, workers: 1, endpoints: [{name: go, cpu: 1ms}]}\n  mesh:';
  const scenario = load(small(['  mesh:', idle]));
  t.deepEqual(scenario.notices, []);
  t.is(offeredLoad(scenario)[2]!.requestsPerSecond, 0);
});

test('pods that together ask for more than there is are announced', (t) => {
  // 4 nodes of 4 cores; 30 x 0.5 + 2 x 0.5 = 16 cores fit, one pod more does not.
  t.deepEqual(load(small(['replicas: 4', 'replicas: 30'])).notices, []);
  const [notice] = load(small(['replicas: 4', 'replicas: 31'])).notices;
  t.is(notice?.code, 'WT0505');
  t.is(notice?.message, 'the pods at the start ask for 16.5 cores of 16: some will wait for room');
});
