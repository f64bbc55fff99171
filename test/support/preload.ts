import { LANGUAGES } from '../../src/sandbox/languages.js';
import { PRELOADS } from '../../src/sandbox/preload.js';
import type { ScriptType } from '../../src/sandbox/sandbox.js';

/**
 * Whether the cells of this test file preload interpreters (jest.config.mjs). Asked each time: this module is loaded
 * once, for the files of both projects.
 */
export const isPreloading = (): boolean => process.env['TEST_PRELOAD'] !== 'off';

/** The languages whose programs could differ. The others run once. */
export const runsHere = (language: ScriptType): boolean =>
  isPreloading() || PRELOADS[LANGUAGES[language].image] !== undefined;
