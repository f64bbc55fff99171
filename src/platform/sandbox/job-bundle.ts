import type { SandboxJob } from '../../kernel/ports/sandbox.js';
import { LANGUAGES } from './languages.js';

export const WORKING_FOLDER = '/tmp/work';

/**
 * One job as PID 1 reads it (see pid-one.ts): a field is its length (4 bytes, big-endian) and its bytes, a list is its
 * count and its fields. Nonce, working folder, argv, env as NAME=value, count of files, path and content of each, stdin.
 */
export function encodeJob(job: SandboxJob, nonce: Buffer): Buffer {
  const { image: _, scriptFile, argv, env } = LANGUAGES[job.scriptType];
  const variables = Object.entries({ HOME: '/tmp', LANG: 'C.UTF-8', ...env, ...job.input.env });
  const files = [{ path: scriptFile, content: job.script }, ...(job.input.files ?? [])];
  return Buffer.concat([
    field(nonce),
    field(WORKING_FOLDER),
    list(argv(job.input.args ?? [], job.limits)),
    list(variables.map(([name, value]) => `${name}=${value}`)),
    number(files.length),
    ...files.flatMap(({ path, content }) => [field(path), field(content)]),
    field(job.input.stdin ?? ''),
  ]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function field(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([number(bytes.length), bytes]);
}

const list = (items: readonly string[]): Buffer => Buffer.concat([number(items.length), ...items.map(field)]);
