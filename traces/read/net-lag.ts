/**
 * Round trips between nodes as Kube-NetLag exports them (SEMANTICS C2): gauges `node_avg_latency_ms` and its min and max,
 * with `from_node` and `to_node`. The values are microseconds, whatever the name says: they are netperf's TCP_RR figures,
 * taken over as they are, and each is a whole round trip. Reads the text that the exporter serves.
 */

export interface NodeRoundTrip {
  readonly fromNode: string;
  readonly toNode: string;
  readonly roundTripUs: number;
}

const SAMPLE = /^node_avg_latency_ms\{([^}]*)\}\s+(\S+)(?:\s+\d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** In the order of the text. Throws with all lines that cannot be read, each with its number. */
export function readNetLag(text: string, file: string): NodeRoundTrip[] {
  const problems: string[] = [];
  const found = text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim();
    if (!trimmed.startsWith('node_avg_latency_ms')) return [];
    const match = SAMPLE.exec(trimmed);
    const labels = Object.fromEntries(
      [...(match?.[1] ?? '').matchAll(LABEL)].map(([, name, value]) => [name!, value!]),
    );
    const [fromNode, toNode] = [labels['from_node'], labels['to_node']];
    const roundTripUs = Number(match?.[2]);
    if (fromNode === undefined || toNode === undefined || !(roundTripUs >= 0) || roundTripUs === Infinity) {
      problems.push(
        `${file}:${index + 1}: "${trimmed}" is not a latency; expected node_avg_latency_ms{from_node="a",to_node="b"} 1553`,
      );
      return [];
    }
    return [{ fromNode, toNode, roundTripUs }];
  });
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return found;
}
