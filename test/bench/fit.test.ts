import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import { FIT_DATA, fitTable } from './fit.js';

test('docs/proxy-fit.md shows what the model predicts of the benchmark of 2020', (t) => {
  if (!existsSync(FIT_DATA)) {
    t.log(`skipped: ${FIT_DATA} is not here`);
    t.pass();
    return;
  }
  const table = fitTable();
  t.log(`\n${table}`);
  const page = readFileSync('docs/proxy-fit.md', 'utf8');
  const compact = (text: string): string => text.replaceAll(/ +/g, ' ').replaceAll(/-+/g, '-');
  t.true(compact(page).includes(compact(table)), 'the table of the page is another');
});
