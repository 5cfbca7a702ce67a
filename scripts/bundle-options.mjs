/**
 * What every bundle of this repo has in common. Packages that come as CommonJS expect `require`, `__filename` and
 * `__dirname`, which an ES module lacks: the banner gives them back.
 */
import { readFileSync } from 'node:fs';

export const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

const COMMONJS_BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { fileURLToPath as __fileURLToPath } from 'node:url';",
  "import { dirname as __pathDirname } from 'node:path';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = __fileURLToPath(import.meta.url);',
  'const __dirname = __pathDirname(__filename);',
].join(' ');

/** @type {import('esbuild').BuildOptions} */
export const nodeBundle = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  legalComments: 'none',
  logLevel: 'warning',
  banner: { js: COMMONJS_BANNER },
  define: { WAVETANK_VERSION: JSON.stringify(packageJson.version) },
};
