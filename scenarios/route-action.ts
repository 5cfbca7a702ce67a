/**
 * Checks that a route does one thing, as Istio does: forward, redirect, answer by itself, or delegate. The simulation
 * forwards and answers: nobody follows a redirect, and what is delegated is left out, with a notice, and its requests go
 * to the host that was called.
 */
import type { RuleReport } from './destination-rule.js';
import { re2 } from '../engine/re2.js';
import { asList, asRecord, isObject } from './raw.js';
import type { Path } from './source.js';
import { checkFields } from './virtual-service-fields.js';

type Raw = Readonly<Record<string, unknown>>;

export function checkRouteAction(route: Raw, path: Path, isDelegate: boolean, to: RuleReport): void {
  const [redirect, answer, delegate] = ['redirect', 'directResponse', 'delegate'].map((key) => isObject(route[key]));
  const destinations = asList(route['route']);
  if (delegate && !isDelegate) {
    for (const key of ['redirect', 'route'])
      if (key === 'route' ? destinations.length > 0 : route[key] !== undefined) clash(key, 'delegate', path, to);
  } else {
    if (delegate)
      to.report('WT0401', [...path, 'delegate'], {
        message: 'Istio refuses a delegate that delegates',
        expected: 'no delegate',
        atKey: true,
      });
    const action = redirect ? 'redirect' : answer ? 'directResponse' : null;
    if (action === null) {
      if (destinations.length === 0)
        to.report('WT0401', path, { message: 'a route needs destinations', expected: 'route: a list of destinations' });
    } else {
      if (destinations.length > 0) clash('route', action, path, to);
      for (const key of ['fault', 'rewrite']) if (route[key] !== undefined) clash(key, action, path, to);
      if (redirect && answer) clash('directResponse', 'redirect', path, to);
    }
  }
  if (redirect)
    checkRedirect(asRecord(route['redirect']), asList(route['match']).map(asRecord), [...path, 'redirect'], to);
  if (answer) checkAnswer(asRecord(route['directResponse']), [...path, 'directResponse'], to);
  if (isObject(route['rewrite'])) checkRewrite(asRecord(route['rewrite']), [...path, 'rewrite'], to);
}

function clash(key: string, other: string, path: Path, to: RuleReport): void {
  to.report('WT0401', [...path, key], {
    message: `Istio refuses ${key} beside ${other}`,
    expected: 'one of the two',
    atKey: true,
  });
}

function checkRedirect(redirect: Raw, matches: readonly Raw[], path: Path, to: RuleReport): void {
  checkFields(redirect, 'redirect', path, to);
  to.unmodelled({ code: 'WT0504', path, message: 'the call ends with the redirect: nobody follows it' });
  const says = (key: string) => (redirect[key] ?? '') !== '';
  const refuse = (key: string | null, message: string, expected: string) =>
    to.report('WT0401', key === null ? path : [...path, key], { message, expected });
  if (says('port') && says('derivePort')) refuse('derivePort', 'Istio refuses it beside port', 'one of the two');
  if (says('uri') && says('prefixRewrite')) refuse('prefixRewrite', 'Istio refuses it beside uri', 'one of the two');
  if (says('prefixRewrite') && matches.some(({ uri }) => isObject(uri) && asRecord(uri)['prefix'] === undefined))
    refuse('prefixRewrite', 'a match is not on a prefix', 'matches on a prefix of the uri');
  if (!['uri', 'prefixRewrite', 'authority', 'port', 'derivePort', 'scheme'].some(says))
    refuse(null, 'a redirect to the same place', 'uri, authority, scheme or port');
  const { redirectCode: code = 0, scheme = '', port = 0 } = redirect;
  if (typeof code === 'number' && code !== 0 && (code < 300 || code > 399))
    refuse('redirectCode', 'not a code of a redirect', 'a number from 300 to 399');
  if (typeof scheme === 'string' && !['', 'http', 'https'].includes(scheme))
    refuse('scheme', 'not a scheme', 'http or https');
  if (typeof port === 'number' && port > 65_535) refuse('port', 'no port', 'a number from 1 to 65535');
}

function checkAnswer(answer: Raw, path: Path, to: RuleReport): void {
  checkFields(answer, 'directResponse', path, to);
  const { status } = answer;
  if (status === undefined || (typeof status === 'number' && (status < 200 || status > 600)))
    to.report('WT0401', status === undefined ? path : [...path, 'status'], {
      message: 'not a status',
      expected: 'status: a whole number from 200 to 600',
    });
}

function checkRewrite(rewrite: Raw, path: Path, to: RuleReport): void {
  checkFields(rewrite, 'rewrite', path, to);
  const { uri = '', authority = '', uriRegexRewrite: regex } = rewrite;
  if (uri !== '' && regex !== undefined)
    to.report('WT0401', [...path, 'uriRegexRewrite'], {
      message: 'Istio refuses it beside uri',
      expected: 'one of the two',
    });
  if (uri === '' && authority === '' && regex === undefined)
    to.report('WT0401', path, { message: 'rewrites nothing', expected: 'uri, uriRegexRewrite or authority' });
  if (!isObject(regex)) return;
  checkFields(asRecord(regex), 'uriRegexRewrite', [...path, 'uriRegexRewrite'], to);
  const { match = '', rewrite: text = '' } = asRecord(regex);
  if (text === '' || typeof match !== 'string' || re2(match) === null)
    to.report('WT0401', [...path, 'uriRegexRewrite'], {
      message: 'not a rewrite',
      expected: 'match, in RE2 syntax, and rewrite',
    });
}
