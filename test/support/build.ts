import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Builds the service, which takes seconds: processes that tests start run the build, as in production. */
export default async function build(): Promise<void> {
  await promisify(execFile)('infra/dev/app', ['build'], { env: { ...process.env, NODE_OPTIONS: '' } });
}
