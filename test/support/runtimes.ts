import { askEngine } from '../../src/sandbox/engine-findings.js';
import { connectEngine } from '../../src/sandbox/engine.js';
import { dockerEndpoint } from './docker.js';

const { runtimesKnown } = await askEngine(connectEngine(dockerEndpoint), undefined);

/** The container runtimes on this host: tests run on each of them. */
export const RUNTIMES: readonly string[] = [
  'runc',
  ...['crun', 'runsc'].filter((runtime) => runtimesKnown.includes(runtime)),
];
