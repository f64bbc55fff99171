import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Processes that tests start run what is built, as they do in production; it takes seconds. */
export default async function build(): Promise<void> {
  await promisify(execFile)('infra/dev/build.sh', { env: { ...process.env, NODE_OPTIONS: '' } });
}
