/** What the pool and its workers say to each other. All of it survives structured cloning. */
import type { Scenario } from '../scenarios/types.js';
import type { Drill } from '../sim/index.js';
import type { ReplicationResult } from '../traces/run-result.js';

export type ToWorker =
  | { readonly kind: 'scenario'; readonly scenario: Scenario }
  | {
      readonly kind: 'job';
      readonly job: number;
      readonly policy: number;
      readonly seed: number;
      /** Folder for snapshots; null: none are written. */
      readonly dumpTo: string | null;
      readonly drill: Drill | null;
    };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly job: number; readonly result: ReplicationResult }
  | { readonly kind: 'failed'; readonly job: number; readonly message: string };
