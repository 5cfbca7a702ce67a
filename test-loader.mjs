import { register } from 'node:module';

register('ts-node/esm/transpile-only', import.meta.url);
