// Builds the decision-quality table and its workers, and makes the table; see test/bench/quality/quality.ts for the options.
import { spawnSync } from 'node:child_process';
import { build } from 'esbuild';

await build({
  entryPoints: { quality: 'test/bench/quality/quality.ts', worker: 'cli/worker.ts' },
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  outdir: 'build/quality',
  outExtension: { '.js': '.mjs' },
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, ['build/quality/quality.mjs', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
