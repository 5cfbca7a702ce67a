import { readFileSync } from 'node:fs';

/** The cases kept in answers/ of Kubernetes; few ones would be a mistake in making them. */
export function casesOf<Case>(name: string, least = 200, answers = 'answers'): Case[] {
  const { cases } = JSON.parse(readFileSync(`test/oracle/${answers}/${name}.json`, 'utf8')) as { cases: Case[] };
  if (cases.length < least) throw new Error(`${name} has only ${cases.length} cases`);
  return cases;
}

export function istioCasesOf<Case>(release: string, name: string): Case[] {
  return casesOf<Case>(name, 200, `istio/answers/${release}`);
}
