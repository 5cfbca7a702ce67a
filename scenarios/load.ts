/**
 * Reads a scenario file: text in, a total, frozen record out, or every problem at once. The order is: well-formed text,
 * then the shape (`schema.ts`), names (`references.ts`), and only when all of that holds the record (`build.ts`) and
 * what is worth announcing (`notices.ts`). Shape and names are checked independently, so one pass finds both kinds.
 */
import { workloadPolicy } from '../engine/annotations.js';
import { configProblems } from '../engine/config.js';
import { buildScenario } from './build.js';
import { parseExpectation } from './expectations.js';
import { notice, scenarioNotices } from './notices.js';
import type { Problem } from './problems.js';
import { reporter } from './raw.js';
import { checkReferences } from './references.js';
import { schedulingNotices } from './scheduling-notices.js';
import { jsonSchema, scenarioSchema } from './schema.js';
import { schemaProblems } from './schema-problems.js';
import { readSource } from './source.js';
import { requiredProblems } from './required.js';
import type { Source } from './source.js';
import { SCENARIO_NAMESPACE } from './policies.js';
import type { Expectation, Notice, Policy, Scenario } from './types.js';

export { explain, formatProblem } from './problems.js';
export type { Problem } from './problems.js';

export type Loaded = { readonly scenario: Scenario } | { readonly problems: readonly Problem[] };

/** Pure: `fileName` only stands in messages. Problems come in the order of the file. */
export function parseScenario(text: string, fileName: string): Loaded {
  const { source, problems: unreadable } = readSource(text, fileName);
  if (source.value === null) return { problems: unreadable };

  const parsed = scenarioSchema.safeParse(source.value);
  const shape = parsed.success ? [] : schemaProblems(source, parsed.error.issues, jsonSchema('Scenario'));
  const foreign = shape.filter((problem) => problem.code === 'WT0106');
  // A file of another kind is wrong in all its parts: saying so once is enough.
  if (foreign.length > 0) return { problems: [...unreadable, ...foreign] };

  const { report, problems: names } = reporter(source.problem);
  const notices: Notice[] = [];
  checkReferences(source.value, {
    report,
    unmodelled: (found) => notices.push(notice(source, found.code, found.path, found.message)),
  });

  const problems = [...unreadable, ...requiredProblems(source, [...shape, ...names])];
  if (!parsed.success || problems.length > 0) return { problems: inFileOrder(problems) };
  const scenario = buildScenario(parsed.data);
  const late = [
    ...engineProblems(scenario.policies, source),
    ...annotationProblems(scenario, parsed.data.spec.services, source),
    ...expectationProblems(parsed.data.spec.expectations, scenario, source),
  ];
  if (late.length > 0) return { problems: inFileOrder(late) };
  return {
    scenario: deepFreeze({
      ...scenario,
      expectations: expectations(parsed.data.spec.expectations, source),
      notices: [...notices, ...scenarioNotices(scenario, source), ...schedulingNotices(scenario, source)],
    }),
  };
}

/** Settings that are right one by one but not together; judged by the engine itself, defaults and all. */
function engineProblems(policies: readonly Policy[], source: Source): readonly Problem[] {
  return policies.flatMap(({ name, engine }) =>
    (engine === null ? [] : configProblems(engine)).map((message) =>
      source.problem('WT0205', ['spec', 'policies', name, 'engine'], { message }),
    ),
  );
}

/** Settings of one service that the engine would refuse: better said now than in every cycle of a run. */
function annotationProblems(
  { services, policies }: Pick<Scenario, 'services' | 'policies'>,
  files: readonly { readonly name: string }[],
  source: Source,
): readonly Problem[] {
  return files.flatMap(({ name }, index) => {
    const { annotations } = services.find((service) => service.name === name)!;
    const namespace = SCENARIO_NAMESPACE;
    const messages = policies.flatMap(({ engine }) =>
      engine === null || configProblems(engine).length > 0
        ? []
        : workloadPolicy({ namespace, name, annotations }, engine).problems,
    );
    return [...new Set(messages)].map((message) =>
      source.problem('WT0205', ['spec', 'services', index, 'annotations'], { message }),
    );
  });
}

/** Gates that cannot be read, or ask for what the scenario does not have. */
function expectationProblems(
  texts: readonly string[],
  scenario: Pick<Scenario, 'services' | 'policies' | 'cluster' | 'loads'>,
  source: Source,
): readonly Problem[] {
  const names = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name);
  const known = {
    services: names(scenario.services),
    policies: names(scenario.policies),
    zones: names(scenario.cluster.zones),
    loads: names(scenario.loads),
    queues: names(scenario.services.filter(({ external }) => external?.queue)),
  };
  return texts.flatMap((text, index) =>
    parseExpectation(text, known).problems.map(({ message, column, expected, hint }) => {
      const problem = source.problem('WT0312', ['spec', 'expectations', index], { message, expected, hint });
      // The place within the gate, where the gate stands in the file as it is (not folded, no escapes before it).
      const start = problem.excerpt?.indexOf(text) ?? -1;
      return start < 0 ? problem : { ...problem, column: start + column };
    }),
  );
}

function expectations(texts: readonly string[], source: Source): readonly Expectation[] {
  return texts.map((text, index) => ({ text, file: source.file, ...source.locate(['spec', 'expectations', index]) }));
}

/** By place, then by code, so that the order does not depend on which check ran first. */
function inFileOrder(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort(
    (a, b) => a.line - b.line || a.column - b.column || (a.code < b.code ? -1 : a.code > b.code ? 1 : 0),
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
