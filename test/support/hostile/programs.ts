import { ESCAPE } from './escape.js';
import { HOST } from './host.js';
import { NETWORK } from './network.js';
import { OUTPUT } from './output.js';
import type { HostileProgram } from './program.js';
import { SPACE } from './space.js';
import { TIME } from './time.js';

export const HOSTILE_PROGRAMS: readonly HostileProgram[] = [
  ...TIME,
  ...SPACE,
  ...OUTPUT,
  ...ESCAPE,
  ...HOST,
  ...NETWORK,
];
