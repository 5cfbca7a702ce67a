import test from 'ava';
import { readNetLag } from '../../../traces/read/net-lag.js';

test('naive 22, C2 worked: a value of 1553 under the name of milliseconds is a round trip of 1.553 ms', (t) => {
  const text = [
    '# HELP node_avg_latency_ms Average latency between nodes in microseconds',
    '# TYPE node_avg_latency_ms gauge',
    'node_avg_latency_ms{from_node="n1",to_node="n2",from_ip="10.0.0.1",to_ip="10.0.0.2"} 1553',
    'node_min_latency_ms{from_node="n1",to_node="n2",from_ip="10.0.0.1",to_ip="10.0.0.2"} 1200',
    'node_avg_latency_ms{from_node="n2",to_node="n1"} 1.6e3 1700000000000',
  ].join('\n');
  t.deepEqual(readNetLag(text, 'lag.prom'), [
    { fromNode: 'n1', toNode: 'n2', roundTripUs: 1553 },
    { fromNode: 'n2', toNode: 'n1', roundTripUs: 1600 },
  ]);
});

test('every line that cannot be read is named', (t) => {
  const text = 'node_avg_latency_ms{from_node="a"} 5\nup 1\nnode_avg_latency_ms{from_node="a",to_node="b"} NaN\n';
  const { message } = t.throws(() => readNetLag(text, 'lag.prom'));
  t.deepEqual(
    message.split('\n').map((line) => line.slice(0, 11)),
    ['lag.prom:1:', 'lag.prom:3:'],
  );
});
