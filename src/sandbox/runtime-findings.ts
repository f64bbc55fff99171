import { randomUUID } from 'node:crypto';

import type { Runtime } from '../runtimes/runtime.js';
import type { Runtimes } from '../runtimes/runtimes.js';
import { DEFAULT_LIMITS } from '../runtimes/default-limits.js';
import { type Sandbox, SandboxFailure, type SandboxOutcome } from './sandbox.js';

const TIMEOUT_MS = 60_000;
const OUTPUT_CHARS_MAX = 200;

/** Whether a declared runtime works: the engine has its image, and its smoke program prints what it should. */
export interface RuntimeFinding {
  readonly runtime: string;
  readonly image: string;
  readonly keptReady: boolean;
  readonly state: 'works' | 'missing' | { readonly failure: string };
}

/** Runs the smoke program of each, one after the other. @throws Unavailable */
export async function testRuntimes(sandbox: Sandbox, runtimes: Runtimes): Promise<RuntimeFinding[]> {
  const present = new Set((await sandbox.offers()).map(({ runtime }) => runtime));
  const findings: RuntimeFinding[] = [];
  for (const runtime of runtimes.all) {
    const { name, image, keep_ready: keptReady } = runtime;
    const state = present.has(name) ? await smokeTest(sandbox, runtime) : 'missing';
    findings.push({ runtime: name, image, keptReady, state });
  }
  return findings;
}

async function smokeTest(sandbox: Sandbox, runtime: Runtime): Promise<RuntimeFinding['state']> {
  const { memory_mb_min, pids_min } = runtime.limits;
  const limits = {
    memory_mb: Math.max(DEFAULT_LIMITS.memory_mb, memory_mb_min),
    pids: Math.max(DEFAULT_LIMITS.pids, pids_min),
    cpus: DEFAULT_LIMITS.cpus,
  };
  const job = {
    ...{ runtime, limits, imageDigest: null, script: Buffer.from(runtime.smoke.script), input: {} },
    ...{ executionId: randomUUID(), userId: randomUUID(), attempt: 1, timeoutMs: TIMEOUT_MS },
  };
  try {
    const outcome = await sandbox.run(job, { signal: new AbortController().signal });
    const printed = textOf(outcome.stdout.content);
    if (outcome.returnCode === 0 && printed === runtime.smoke.stdout) return 'works';
    return { failure: `its smoke program ${endOf(outcome)} and printed ${quoted(printed)}` };
  } catch (error) {
    if (error instanceof SandboxFailure) return { failure: error.message };
    throw error;
  }
}

function endOf({ reason, returnCode, stderr }: SandboxOutcome): string {
  const end = reason === 'exit_code' ? `ended with ${returnCode}` : `ended by ${reason}`;
  const message = textOf(stderr.content).trim();
  return message === '' ? end : `${end} (${quoted(message)})`;
}

const textOf = (content: Uint8Array): string => Buffer.from(content).toString('utf8');

const quoted = (text: string): string => JSON.stringify(text.slice(0, OUTPUT_CHARS_MAX));
