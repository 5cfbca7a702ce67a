/**
 * Builds `dist/`, the whole of the published package: the command line split into a small start and lazily loaded parts
 * (so that `--version` need not read the simulator), the worker of the process pool, the engine for embedding with its
 * declarations (by tsc; esbuild makes none), and the data that is read at run time. All of it is made beside `dist/` and
 * put in its place at the end: a build that fails leaves the old one standing, and nobody runs half of a new one.
 */
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, renameSync, rmSync } from 'node:fs';
import { nodeBundle } from './bundle-options.mjs';

const outdir = `build/dist-${process.pid}`;

await Promise.all([
  build({
    ...nodeBundle,
    entryPoints: { wavetank: 'cli/main.ts' },
    outdir,
    chunkNames: 'parts/[name]-[hash]',
    splitting: true,
    minify: true,
  }),
  build({ ...nodeBundle, entryPoints: { worker: 'cli/worker.ts' }, outdir, minify: true }),
  // Neither minified nor with the banner: people read it, and it must run outside Node too.
  build({ ...nodeBundle, banner: {}, platform: 'neutral', entryPoints: { engine: 'engine/index.ts' }, outdir }),
]);

const tsc = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.declarations.json', '--outDir', `${outdir}/types`];
execFileSync(process.execPath, tsc, { stdio: 'inherit' });

// The bins need their execute bit when dist/ is run from a checkout.
chmodSync(`${outdir}/wavetank.js`, 0o755);
cpSync('scenarios/library', `${outdir}/library`, { recursive: true });
cpSync('mappings', `${outdir}/mappings`, { recursive: true });

rmSync('dist', { recursive: true, force: true });
renameSync(outdir, 'dist');
