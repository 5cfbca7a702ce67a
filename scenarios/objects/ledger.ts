/**
 * What became of each object: used, used in part, or left out, with the reason. Whatever nobody has spoken of at the end
 * is left out because its kind is not read, so that none is dropped in silence.
 */
import type { KubeObject } from './read.js';

export interface Finding {
  readonly kind: string;
  readonly name: string;
  readonly reason: string;
}

export interface Ledger {
  readonly use: (object: KubeObject) => void;
  /** Used, but not all that it says. */
  readonly note: (object: KubeObject, reason: string) => void;
  readonly leaveOut: (object: KubeObject, reason: string) => void;
  readonly close: (objects: readonly KubeObject[]) => {
    readonly used: number;
    readonly partly: readonly Finding[];
    readonly leftOut: readonly Finding[];
  };
}

const KIND_REASONS: Readonly<Record<string, string>> = {
  Job: 'a job serves no requests',
  CronJob: 'a job serves no requests',
  ConfigMap: 'not the configuration of the mesh',
  Secret: 'never read',
};

export function openLedger(): Ledger {
  const used = new Set<KubeObject>();
  const partly: Finding[] = [];
  const left = new Map<KubeObject, string>();
  const finding = ({ kind, name }: KubeObject, reason: string): Finding => ({ kind, name, reason });
  return {
    // The last word holds: an object may be of no use to one part and of some to another.
    use(object) {
      left.delete(object);
      used.add(object);
    },
    note: (object, reason) => {
      if (!partly.some((one) => one.kind === object.kind && one.name === object.name && one.reason === reason))
        partly.push(finding(object, reason));
    },
    leaveOut(object, reason) {
      used.delete(object);
      left.set(object, reason);
    },
    close(objects) {
      const isUsed = (object: KubeObject): boolean => used.has(object);
      return {
        used: objects.filter(isUsed).length,
        partly: partly.filter((one) =>
          objects.some((object) => isUsed(object) && object.kind === one.kind && object.name === one.name),
        ),
        leftOut: objects
          .filter((object) => !isUsed(object))
          .map((object) => finding(object, left.get(object) ?? KIND_REASONS[object.kind] ?? 'this kind is not read')),
      };
    },
  };
}
