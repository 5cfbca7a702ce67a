// The whole suite, from tests that esbuild has built: about nine times faster than transpiling in every test process.
export default {
  files: ['build/test/**/*.test.js'],
  environmentVariables: { NODE_OPTIONS: '--enable-source-maps' },
  workerThreads: false,
  timeout: '5m',
};
