import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { ApiClient } from './api-client.js';
import { eventually } from './eventually.js';

export const SCOPES = ['tasks:read', 'tasks:write', 'executions:read', 'executions:write', 'events:read'];
const CLI = resolve('dist/cli.js');

export interface Ended {
  /** 128 + the signal's number cannot be told from a signal: null for a process that a signal ended. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Buffer;
}

/** A command that runs. */
export class RunningCommand {
  /** Of standard output so far. */
  private text = '';
  readonly ended: Promise<Ended>;

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    child.stdout.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    // A program that ends early does not read all of it.
    child.stdin.on('error', () => undefined);
    this.ended = Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'close')]).then(
      ([bytes, stderr, [code]]) => ({
        code: code as number | null,
        stdout: bytes.toString(),
        stderr: stderr.toString(),
        bytes,
      }),
    );
  }

  write(text: string): void {
    this.child.stdin.write(text);
  }

  endInput(text: string | Uint8Array = ''): void {
    this.child.stdin.end(text);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits until standard output contains this. */
  shows(text: string): Promise<void> {
    return eventually(
      async () => {
        if (!this.text.includes(text)) throw new Error(`standard output is ${JSON.stringify(this.text)}`);
      },
      { timeoutMs: 60_000 },
    );
  }
}

/** Somebody with an account and a home folder, at a shell: nothing of the service's settings is in the environment. */
export class PersonAtShell {
  private constructor(
    readonly home: string,
    readonly account: ApiClient,
    readonly env: NodeJS.ProcessEnv,
  ) {}

  /** With an API key in the environment. */
  static async create(url: string, scopes: readonly string[] = SCOPES): Promise<PersonAtShell> {
    const account = await ApiClient.register(() => url);
    const { key } = await account.ok<{ key: string }>('POST', '/keys', { name: 'shell', scopes });
    const home = await mkdtemp(join(tmpdir(), 'voidrunner-person-'));
    await mkdir(join(home, 'bin'));
    const wrapper = `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`;
    await writeFile(join(home, 'bin/voidrunner'), wrapper, { mode: 0o755 });
    return new PersonAtShell(home, account, {
      PATH: `${join(home, 'bin')}:${process.env.PATH}`,
      HOME: home,
      VOIDRUNNER_URL: url,
      VOIDRUNNER_API_KEY: key,
      // One for all: a test does not compile the command line again.
      XDG_CACHE_HOME: resolve('dist/.cache'),
    });
  }

  /** The API key in the environment. */
  get key(): string {
    return this.env.VOIDRUNNER_API_KEY!;
  }

  /** Writes a file below the home folder, where commands run. */
  async file(path: string, content: string | Uint8Array): Promise<string> {
    await mkdir(dirname(join(this.home, path)), { recursive: true });
    await writeFile(join(this.home, path), content);
    return path;
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningCommand {
    const all = { ...this.env, ...env };
    return new RunningCommand(spawn(process.execPath, [CLI, ...args], { cwd: this.home, env: all, stdio: 'pipe' }));
  }

  /** Runs a command to its end. */
  run(args: readonly string[], stdin: string | Uint8Array = '', env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const command = this.start(args, env);
    command.endInput(stdin);
    return command.ended;
  }

  /** Runs a bash script, in which `$0 "$@"` is the command line with these arguments. */
  shell(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const command = this.startShell(script, args, env);
    command.endInput();
    return command.ended;
  }

  startShell(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): RunningCommand {
    const all = ['-c', script, 'voidrunner', ...args];
    return new RunningCommand(spawn('bash', all, { cwd: this.home, env: { ...this.env, ...env }, stdio: 'pipe' }));
  }

  leave(): Promise<void> {
    return rm(this.home, { recursive: true });
  }
}
