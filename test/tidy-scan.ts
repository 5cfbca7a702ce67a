/**
 * Reads the syntax tree of a source file and says where it breaks the rules of the house: which folder may import which,
 * and which names a folder must do without, each with what to use instead. A plain text search would trip over comments
 * and strings; the tree does not.
 */
import ts from 'typescript';

export interface Breach {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

type Reach = 'all' | 'types';

/** What each folder may import beside itself. `types`: only by `import type`, which leaves no trace at run time. */
const MAY_IMPORT: Readonly<Record<string, Readonly<Record<string, Reach>>>> = {
  engine: {},
  traces: { engine: 'types', scenarios: 'types' },
  scenarios: { engine: 'all', traces: 'types' },
  sim: { engine: 'all', traces: 'all', scenarios: 'types' },
  reports: { engine: 'types', traces: 'all', scenarios: 'all' },
  cli: { engine: 'all', traces: 'all', scenarios: 'all', sim: 'all', reports: 'all' },
};

export const SOURCE_FOLDERS: readonly string[] = Object.keys(MAY_IMPORT);

const CLOCK = 'take the time as an argument (nowMs, timeUs)';
const CHANCE = 'draw from a stream or a key of sim/random.ts';
const EVENT = 'schedule an event on the kernel (sim/kernel/)';
const OUTSIDE = 'let cli/ read it and hand it in';

/** Names that make a run depend on something else than its input. */
const BANNED_NAMES: Readonly<Record<string, string>> = {
  Date: CLOCK,
  performance: CLOCK,
  crypto: CHANCE,
  setTimeout: EVENT,
  setInterval: EVENT,
  setImmediate: EVENT,
  queueMicrotask: EVENT,
  process: OUTSIDE,
  fetch: OUTSIDE,
};

const PORTABLE = 'use the @stdlib port, which gives the same last bit on every JavaScript engine';

/** Members of Math, and what to use instead. */
const BANNED_MATH: Readonly<Record<string, string>> = { random: CHANCE, log: PORTABLE, exp: PORTABLE, pow: PORTABLE };

/** Folders that must give the same answer for the same input, wherever and whenever they run. */
const DETERMINISTIC = new Set(['engine', 'sim']);

/** All breaches of one file; `file` is its path from the root of the repo, with `/`. */
export function scanSource(file: string, text: string): Breach[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
  const folder = file.split('/')[0]!;
  const breaches: Breach[] = [];
  const report = (node: ts.Node, message: string): void => {
    breaches.push({ file, line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1, message });
  };
  if (!startsWithHeader(text))
    report(source, 'the file must begin with a comment that says what it decides, and from what');
  const visit = (node: ts.Node): void => {
    const imported = importOf(node);
    if (imported) {
      const message = importBreach(file, imported.target, imported.typeOnly);
      if (message) report(node, message);
    }
    if (DETERMINISTIC.has(folder)) {
      const message = nameBreach(node);
      if (message) report(node, message);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return breaches;
}

function startsWithHeader(text: string): boolean {
  return /^(#!.*\n)?(\/\*\*[^*]|\/\/ )/.test(text);
}

/** The target of a static, re-exporting or dynamic import, or of an `import('x').T` type. */
function importOf(node: ts.Node): { target: string; typeOnly: boolean } | null {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    return {
      target: node.moduleSpecifier.text,
      typeOnly: node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword,
    };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
    return { target: node.moduleSpecifier.text, typeOnly: node.isTypeOnly };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const target = node.arguments[0];
    return target && ts.isStringLiteral(target) ? { target: target.text, typeOnly: false } : null;
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { target: node.argument.literal.text, typeOnly: true };
  }
  return null;
}

function importBreach(file: string, target: string, typeOnly: boolean): string | null {
  const folder = file.split('/')[0]!;
  if (!target.startsWith('.')) return packageBreach(folder, file, target);
  const targetFolder = resolveFolder(file, target);
  if (targetFolder === folder) return null;
  const reach = MAY_IMPORT[folder]?.[targetFolder];
  if (reach === undefined) return `${folder}/ must not import ${targetFolder}/ (${target})`;
  if (reach === 'types' && !typeOnly)
    return `${folder}/ may take only types from ${targetFolder}/: write \`import type\` (${target})`;
  return null;
}

function packageBreach(folder: string, file: string, target: string): string | null {
  if (folder === 'engine') return `engine/ imports nothing from outside (${target})`;
  if (folder === 'sim' && target.startsWith('node:')) return `sim/ does no input or output (${target}): ${OUTSIDE}`;
  if (target === 'seedrandom' && file !== 'sim/random.ts') return `${target} belongs to sim/random.ts: ${CHANCE}`;
  return null;
}

function resolveFolder(file: string, target: string): string {
  return new URL(target, `file:///${file}`).pathname.split('/')[1]!;
}

function nameBreach(node: ts.Node): string | null {
  if (ts.isIdentifier(node) && node.text in BANNED_NAMES && isReference(node)) {
    return `${node.text} is banned here: ${BANNED_NAMES[node.text]}`;
  }
  const member = mathMember(node);
  return member !== null && member in BANNED_MATH ? `Math.${member} is banned here: ${BANNED_MATH[member]}` : null;
}

/** True where an identifier stands for itself, not for a member, a key or a declared parameter of that name. */
function isReference(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isBindingElement(parent)) return parent.initializer === node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  return !('name' in parent && parent.name === node);
}

/** `random` for `Math.random`, `Math['random']` and `const { random } = Math`. */
function mathMember(node: ts.Node): string | null {
  const isMath = (expression: ts.Expression | undefined): boolean =>
    expression !== undefined && ts.isIdentifier(expression) && expression.text === 'Math';
  if (ts.isPropertyAccessExpression(node) && isMath(node.expression)) return node.name.text;
  if (ts.isElementAccessExpression(node) && isMath(node.expression)) {
    return ts.isStringLiteral(node.argumentExpression) ? node.argumentExpression.text : null;
  }
  if (!ts.isBindingElement(node)) return null;
  const declaration = node.parent.parent;
  if (!ts.isVariableDeclaration(declaration) || !isMath(declaration.initializer)) return null;
  const name = node.propertyName ?? node.name;
  return ts.isIdentifier(name) ? name.text : null;
}
