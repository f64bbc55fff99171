import { randomUUID } from 'node:crypto';

import { LABEL_MANAGED, LABEL_WORKER } from '../../src/sandbox/container-spec.js';
import { DockerSandbox } from '../../src/sandbox/docker-sandbox.js';
import type { DockerSandboxOptions } from '../../src/sandbox/docker-sandbox-options.js';
import { connectEngine } from '../../src/sandbox/engine.js';
import type { SandboxJob, SandboxOutcome } from '../../src/sandbox/sandbox.js';
import { readSeccompProfile } from '../../src/sandbox/seccomp-profile.js';
import { declaredRuntimes, runtimeOf } from './declared-runtimes.js';
import { testNamespace } from './namespace.js';
import { isPreloading } from './preload.js';

export const dockerEndpoint = process.env['DOCKER_ENDPOINT'] ?? 'unix:///var/run/docker.sock';

/** A worker id in its own namespace. */
export const testWorkerId = (): string => `${testNamespace()}.${randomUUID().slice(0, 8)}`;

export async function sandboxOptions(overrides: Partial<DockerSandboxOptions> = {}): Promise<DockerSandboxOptions> {
  return {
    endpoint: dockerEndpoint,
    workerId: testWorkerId(),
    runtimes: declaredRuntimes,
    seccompProfile: await readSeccompProfile('seccomp/cell.json'),
    outputBytesMax: 64 * 1024,
    preload: isPreloading(),
    // Most tests make a cell for one run.
    preloadAfterJobs: 0,
    ...overrides,
  };
}

/** The names of a worker's containers, whatever their state. */
export async function containersOf(workerId: string): Promise<string[]> {
  const containers = await connectEngine(dockerEndpoint).listContainers({
    all: true,
    filters: { label: [`${LABEL_MANAGED}=1`, `${LABEL_WORKER}=${workerId}`] },
  });
  return containers.map(({ Names }) => Names[0]!.slice(1));
}

export async function expectNoContainers(workerId: string): Promise<void> {
  expect(await containersOf(workerId)).toEqual([]);
}

export type JobParts = Partial<Omit<SandboxJob, 'script'>>;

export function job(runtime: string, script: string, parts: JobParts = {}): SandboxJob {
  return {
    executionId: randomUUID(),
    attempt: 1,
    userId: randomUUID(),
    runtime: runtimeOf(runtime),
    imageDigest: null,
    script: Buffer.from(script),
    input: {},
    limits: { memory_mb: 256, cpus: 1, pids: 64 },
    timeoutMs: 20_000,
    ...parts,
  };
}

/** One sandbox for a test file, and runs whose output reads as text. */
export class TestSandbox {
  private constructor(
    readonly sandbox: DockerSandbox,
    readonly workerId: string,
  ) {}

  static async create(overrides: Partial<DockerSandboxOptions> = {}): Promise<TestSandbox> {
    const options = await sandboxOptions(overrides);
    return new TestSandbox(new DockerSandbox(options), options.workerId);
  }

  async run(
    runtime: string,
    script: string,
    parts: JobParts = {},
    signal = new AbortController().signal,
  ): Promise<TextOutcome> {
    const outcome = await this.sandbox.run(job(runtime, script, parts), { signal });
    const { stdout, stderr, compile } = outcome;
    const fromCompiler = compile ? text(compile.stdout.content) + text(compile.stderr.content) : '';
    return { ...outcome, out: text(stdout.content), err: text(stderr.content), fromCompiler };
  }

  containers(): Promise<string[]> {
    return containersOf(this.workerId);
  }

  /** Waits for containers to be removed, which happens after the last end is reported. */
  async expectNoContainers(): Promise<void> {
    await this.sandbox.idle();
    await expectNoContainers(this.workerId);
  }
}

export type TextOutcome = SandboxOutcome & {
  readonly out: string;
  readonly err: string;
  /** What its compiler printed; empty if there was none. */
  readonly fromCompiler: string;
};

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
