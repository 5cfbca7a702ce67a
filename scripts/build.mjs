/**
 * Builds `dist/`, the whole of the published package: the command line split into a small start and lazily loaded parts
 * (so that `--version` need not read the simulator), the worker of the process pool, the engine for embedding, and the
 * data that is read at run time. Declarations of the engine are emitted by tsc afterwards; esbuild makes none.
 */
import { build } from 'esbuild';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { nodeBundle } from './bundle-options.mjs';

rmSync('dist', { recursive: true, force: true });

await Promise.all([
  build({
    ...nodeBundle,
    entryPoints: { wavetank: 'cli/main.ts' },
    outdir: 'dist',
    chunkNames: 'parts/[name]-[hash]',
    splitting: true,
    minify: true,
  }),
  build({ ...nodeBundle, entryPoints: { worker: 'cli/worker.ts' }, outdir: 'dist', minify: true }),
  // Neither minified nor with the banner: people read it, and it must run outside Node too.
  build({ ...nodeBundle, banner: {}, platform: 'neutral', entryPoints: { engine: 'engine/index.ts' }, outdir: 'dist' }),
]);

// The bins need their execute bit when dist/ is run from a checkout.
chmodSync('dist/wavetank.js', 0o755);
cpSync('scenarios/library', 'dist/library', { recursive: true });
cpSync('mappings', 'dist/mappings', { recursive: true });
