/**
 * The frame of every page that Wavetank writes: one HTML file that needs nothing else, no script and no network (its policy
 * forbids both), with a header, links to the sections, and the sections in the order of their list.
 */
import { pageStyle } from './html-style.js';
import { markup, raw, type Markup } from './markup.js';

const contentPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

export interface Page {
  readonly title: string;
  readonly heading: string;
  /** Below the heading. */
  readonly lead: Markup;
  /** Between the links and the sections. */
  readonly cards: Markup;
  readonly sections: readonly (readonly [id: string, title: string, body: Markup])[];
}

export function htmlPage({ title, heading, lead, cards, sections }: Page): string {
  const body = sections.map(
    ([id, name, content]) => markup`<section id="${id}"><h2>${name}</h2>\n${content}</section>\n`,
  );
  const links = sections.map(([id, name]) => markup`<a href="#${id}">${name}</a>`);
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(contentPolicy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${raw(pageStyle)}</style></head>
<body><main>
<header><h1>${heading}</h1>
${lead}
<nav>${links.map((link) => markup`${link}\n`)}</nav></header>
${cards}
${body}</main></body></html>
`.text;
}

/** A link that holds the record itself, so that no page is cut off from its data. */
export function downloadLink(name: string, json: string, words: string): Markup {
  const file = `${name.replace(/[^\w.-]+/gu, '-')}.json`;
  const data = Buffer.from(json, 'utf8').toString('base64');
  return markup`<p><a download="${file}" href="data:application/json;base64,${data}">Download the data (${file})</a>: ${words}</p>\n`;
}
