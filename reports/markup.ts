/**
 * HTML and SVG from templates in which everything is text unless it was made by a template itself. Names come from other
 * people's files; with this, forgetting to escape one is not possible, only asking for `raw` is.
 */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | null | readonly Part[];

export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(
    strings.map((string, index) => string + (index < parts.length ? rendered(parts[index] ?? null) : '')).join(''),
  );
}

/** Text that is markup already: our own style sheet, an SVG whose writer escapes. Never a name from a file. */
export function raw(text: string): Markup {
  return new Markup(text);
}

function rendered(part: Part): string {
  if (part === null) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(rendered).join('');
  return escapeHtml(String(part));
}

export function escapeHtml(text: string): string {
  return text
    .replace(/[\p{Cs}\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/gu, '\uFFFD')
    .replace(/[&<>"']/gu, (character) => `&#${character.charCodeAt(0)};`);
}

/** A table whose first `leftColumns` columns are names and the others numbers; a caption for those who cannot see it. */
export function htmlTable(
  caption: string,
  header: readonly string[],
  rows: readonly (readonly Part[])[],
  leftColumns = 1,
): Markup {
  const side = (column: number): string => (column < leftColumns ? 'name' : 'number');
  const head = header.map((cell, column) => markup`<th scope="col" class="${side(column)}">${cell}</th>`);
  const body = rows.map(
    (row) => markup`<tr>${row.map((cell, column) => markup`<td class="${side(column)}">${cell}</td>`)}</tr>\n`,
  );
  return markup`<div class="scroll"><table><caption>${caption}</caption><thead><tr>${head}</tr></thead>\n<tbody>\n${body}</tbody></table></div>\n`;
}

export type { Part };
