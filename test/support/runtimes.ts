import { connectEngine } from '../../src/sandbox/engine.js';
import { askEngine } from '../../src/sandbox/engine-findings.js';
import { dockerEndpoint } from './docker.js';

const { runtimesKnown } = await askEngine(connectEngine(dockerEndpoint), undefined);

/** What a cell may be made with here: what holds for one must hold for every one. */
export const RUNTIMES: readonly string[] = [
  'runc',
  ...['crun', 'runsc'].filter((runtime) => runtimesKnown.includes(runtime)),
];
