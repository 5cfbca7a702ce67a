/**
 * Regular expressions as Istio takes them (Go's and Envoy's RE2) for JavaScript: flags at the start, named groups, and the
 * ends of a text are written another way; look-around and back-references are not in RE2, nor repeats beyond 1000.
 * Null where RE2 refuses it, and where JavaScript would read something else into it: classes by name ([[:alpha:]], \pL),
 * \Q, and letters behind a backslash that mean nothing to one of the two. Istio also refuses more than 1024 characters.
 */
export function re2(text: string): RegExp | null {
  if (text === '' || text.length > 1024 || /\(\?<?[=!]|\\[1-9]/.test(text)) return null;
  if ([...text.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].some(([, low, high]) => Number(low) > 1000 || Number(high) > 1000))
    return null;
  if (/\[\[:|:\]\]/.test(text) || /(?<!\\)(?:\\\\)*\\(?!x[0-9A-Fa-f]{2}|[dDsSwWbBAzntrfv])[A-Za-z]/.test(text))
    return null;
  const flags = /^\(\?([ims]+)\)/.exec(text);
  const body = text
    .slice(flags?.[0].length ?? 0)
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$');
  try {
    return new RegExp(`^(?:${body})$`, [...new Set(flags?.[1])].join(''));
  } catch {
    return null;
  }
}
