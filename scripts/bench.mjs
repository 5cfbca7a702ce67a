// Builds the benchmarks and runs them; see test/bench/bench.ts for the options.
import { spawnSync } from 'node:child_process';
import { build } from 'esbuild';

await build({
  entryPoints: ['test/bench/bench.ts'],
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  outfile: 'build/bench.mjs',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, ['build/bench.mjs', ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
