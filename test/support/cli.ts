import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line as an operator would. */
export async function voidrunner(env: NodeJS.ProcessEnv, args: readonly string[], stdin = ''): Promise<CliResult> {
  const child = spawn(
    process.execPath,
    ['dist/cli.js', ...args],
    // NODE_OPTIONS are jest's own.
    { env: { ...env, NODE_OPTIONS: '' }, stdio: 'pipe' },
  );
  child.stdin.end(stdin);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number, stdout, stderr };
}
