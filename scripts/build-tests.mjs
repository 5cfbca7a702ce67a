/**
 * Builds every test into `build/test/`, where `ava.config.built.mjs` finds them. Packages stay outside the bundles; what
 * a test reads from disk it finds from the root of the repo, never from its own address.
 */
import { build } from 'esbuild';
import { rmSync } from 'node:fs';

rmSync('build/test', { recursive: true, force: true });
await build({
  entryPoints: ['test/**/*.test.ts'],
  outdir: 'build/test',
  outbase: 'test',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: true,
  logLevel: 'warning',
});
