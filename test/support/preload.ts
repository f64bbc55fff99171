import { LANGUAGES } from '../../src/sandbox/languages.js';
import { PRELOADS } from '../../src/sandbox/preload.js';
import type { ScriptType } from '../../src/sandbox/sandbox.js';

/** Whether the cells of this test preload interpreters: each of these tests runs both ways (jest.config.mjs). */
export const PRELOAD = process.env['TEST_PRELOAD'] !== 'off';

/** The languages whose programs could differ. The others run once. */
export const runsHere = (language: ScriptType): boolean => PRELOAD || PRELOADS[LANGUAGES[language].image] !== undefined;
