import { runtimeOf, type ScriptType } from './declared-runtimes.js';

/**
 * Whether the cells of this test file preload interpreters (jest.config.mjs). Asked each time: this module is loaded
 * once, for the files of both projects.
 */
export const isPreloading = (): boolean => process.env['TEST_PRELOAD'] !== 'off';

/** The languages whose programs could differ. The others run once. */
export const runsHere = (language: ScriptType): boolean => isPreloading() || runtimeOf(language).preload !== undefined;
