/** What a run tells of its queues of messages: counts, times and lengths over the measured part. */
import type { QueueFigures } from '../traces/run-result.js';
import { latencyFigures, round } from './control/series.js';
import { addArea, forEachWaiting, type QueueState } from './queues.js';
import type { World } from './world.js';

/** In the scenario's order; null without queues. */
export function queueFigures(world: World, seconds: number): QueueFigures[] | null {
  if (world.queues.length === 0) return null;
  const { order, services } = world.program;
  const declared = ({ compiled }: QueueState): number => order[compiled.service]!;
  return [...world.queues]
    .sort((a, b) => declared(a) - declared(b))
    .map((queue): QueueFigures => {
      const { figures, whole } = queue;
      addArea(queue, world.nowUs);
      return {
        queue: services[queue.compiled.service]!.name,
        published: figures.published,
        publishedPerSecond: round(figures.published / seconds),
        refused: figures.refused,
        processed: figures.processed,
        deadLettered: figures.dead,
        redelivered: figures.redelivered,
        waitMs: latencyFigures(figures.waitHistogram, 0, figures.waits, figures.waitUs),
        doneMs: latencyFigures(figures.doneHistogram, 0, figures.processed, figures.doneUs),
        length: { mean: round(figures.areaUs / seconds / 1e6), most: figures.most, atEnd: queue.length },
        oldestSeconds: oldestSeconds(queue, world.nowUs),
        inFlight: whole.published - whole.processed - whole.dead - queue.length,
      };
    });
}

/** Messages that were brought back stand before older ones, so all are looked at. */
export function oldestSeconds(queue: QueueState, nowUs: number): number | null {
  let oldestUs = Infinity;
  forEachWaiting(queue, (publishedUs) => (oldestUs = Math.min(oldestUs, publishedUs)));
  return oldestUs === Infinity ? null : round((nowUs - oldestUs) / 1e6);
}
