/** A StatefulSet's pass as a list of permissions: for each ordinal, may it be created, may it be deleted? */
import type { StatefulSetState } from '../../sim/cluster/statefulSet.js';

export function slowStatefulSetStep(set: StatefulSetState): { create: number[]; delete: number[] } {
  const { replicas, policy, pods } = set;
  const top = Math.max(replicas, ...pods.map(({ ordinal }) => ordinal + 1));
  const all = Array.from({ length: top }, (_, ordinal) => ordinal);
  const at = (ordinal: number) => pods.find((pod) => pod.ordinal === ordinal);
  const well = (ordinal: number) => at(ordinal)?.state === 'ready' && at(ordinal)?.terminating === false;
  const wellFrom = (from: number, to: number) => all.slice(from, to).every(well);
  const stays = (ordinal: number) => at(ordinal) !== undefined && !at(ordinal)!.terminating;
  const inOrder = policy === 'OrderedReady';
  const tooMany = all.filter((ordinal) => ordinal >= replicas && at(ordinal) !== undefined);

  const mayCreate = (ordinal: number) =>
    ordinal < replicas && at(ordinal) === undefined && (!inOrder || wellFrom(0, ordinal));
  const isSpent = (ordinal: number) =>
    ordinal < replicas && at(ordinal)?.state === 'finished' && (!inOrder || wellFrom(0, ordinal));
  const isSurplus = (ordinal: number) => {
    if (!tooMany.includes(ordinal)) return false;
    if (!inOrder) return true;
    const othersAreWell = tooMany.every((other) => other === ordinal || well(other));
    return wellFrom(0, replicas) && ordinal === top - 1 && (well(ordinal) || othersAreWell);
  };
  const isOutdated = (ordinal: number) =>
    set.update !== 'OnDelete' &&
    ordinal < replicas &&
    ordinal >= set.update.partition &&
    at(ordinal)?.revision === 'old' &&
    all.slice(ordinal + 1, replicas).every((above) => well(above) && at(above)!.revision === 'new') &&
    (!inOrder || (wellFrom(0, replicas) && tooMany.length === 0));
  return {
    create: all.filter(mayCreate),
    delete: all.filter((ordinal) => stays(ordinal) && (isSpent(ordinal) || isSurplus(ordinal) || isOutdated(ordinal))),
  };
}
