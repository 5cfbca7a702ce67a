/** The engine's default settings, where those who read scenario files look for them. */
export { defaultEngineConfig } from '../engine/config.js';
