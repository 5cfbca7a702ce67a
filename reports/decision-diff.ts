/**
 * What would change if the engine had other settings: the decisions that would come, go or be different, with what is said
 * on both sides. Decisions are the same when they do the same; that their reasons are worded with other numbers is no
 * change, only counted.
 */
import type { Decision, StepOutput } from '../engine/types.js';
import { decisionWords, nameOf, partOf } from './decision-words.js';
import { hanging, stepTitle } from './decisions-text.js';
import { plural } from './format.js';
import { stableJson } from './json.js';
import { paintOf } from './terminal.js';

export interface DecisionChange {
  readonly change: 'added' | 'removed' | 'different';
  /** What both sides speak of: `replicas of Deployment default/checkout`. */
  readonly about: string;
  readonly now: Side;
  readonly then: Side;
}

interface Side {
  /** Null where nothing is decided. */
  readonly decision: Decision | null;
  /** The reason of the decision, or of leaving it alone. */
  readonly because: string;
}

export interface StepDiff {
  readonly file: string;
  readonly observedAtMs: number;
  readonly changes: readonly DecisionChange[];
  readonly unchanged: number;
}

export interface DiffedStep {
  readonly file: string;
  readonly observedAtMs: number;
  readonly now: StepOutput;
  readonly then: StepOutput;
}

export function diffStep({ file, observedAtMs, now, then }: DiffedStep): StepDiff {
  const before = bySlot(now);
  const after = bySlot(then);
  const changes: DecisionChange[] = [];
  let unchanged = 0;
  for (const about of new Set([...before.keys(), ...after.keys()])) {
    const [old, next] = [before.get(about) ?? null, after.get(about) ?? null];
    if (old !== null && next !== null && actionOf(old) === actionOf(next)) {
      unchanged++;
      continue;
    }
    const some = (old ?? next)!;
    changes.push({
      change: old === null ? 'added' : next === null ? 'removed' : 'different',
      about,
      now: { decision: old, because: old?.because ?? leftAlone(now, some) },
      then: { decision: next, because: next?.because ?? leftAlone(then, some) },
    });
  }
  return { file, observedAtMs, changes, unchanged };
}

function bySlot({ decisions }: StepOutput): Map<string, Decision> {
  return new Map(decisions.map((decision) => [decisionWords(decision).slot, decision]));
}

/** What is done, without why. */
function actionOf({ because: _because, signals: _signals, rejected: _rejected, ...action }: Decision): string {
  return stableJson(action);
}

function leftAlone({ skipped }: StepOutput, about: Decision): string {
  const one = skipped.find(
    ({ part, workload }) =>
      part === partOf(about) && workload.kind === about.workload.kind && nameOf(workload) === nameOf(about.workload),
  );
  return one === undefined ? 'that part of the engine is off, or has nothing to say' : `${one.reason}; ${one.detail}`;
}

const MARKS = { added: '+', removed: '-', different: '~' } as const;

export function diffText(diffs: readonly StepDiff[], otherName: string, color: boolean): string {
  const paint = paintOf(color);
  const paintMark = { added: paint.good, removed: paint.bad, different: paint.unsure };
  const lines = [...hanging(`+ only with ${otherName}, - only as it stands, ~ different`, '', ''), ''];
  for (const diff of diffs) {
    if (diffs.length > 1 && diff.changes.length > 0) {
      lines.push(paint.strong(stepTitle(diff)), '');
    }
    for (const { change, about, now, then } of diff.changes) {
      lines.push(...hanging(`${MARKS[change]} ${about}`, '', '  ').map(paintMark[change]));
      lines.push(...sideLines('now: ', now), ...sideLines('then:', then), '');
    }
  }
  const all = diffs.flatMap(({ changes }) => changes);
  const count = (change: DecisionChange['change']): number => all.filter((one) => one.change === change).length;
  const unchanged = diffs.reduce((sum, one) => sum + one.unchanged, 0);
  const files = diffs.length === 1 ? '' : ` in ${plural(diffs.length, 'file')}`;
  lines.push(
    `${count('added')} added, ${count('removed')} removed, ${count('different')} different, ${unchanged} unchanged${files}`,
  );
  return lines.join('\n');
}

function sideLines(label: string, { decision, because }: Side): string[] {
  if (decision === null) return hanging(`${label} nothing: ${because}`, '    ', '          ');
  const { action, places } = decisionWords(decision);
  return [
    ...hanging(`${label} ${action}`, '    ', '          '),
    ...places.flatMap((place) => hanging(place, '          ', '            ')),
    ...hanging(`because ${because}`, '          ', '            '),
  ];
}
