import { allSettled } from '../platform/async/all-settled.js';
import { detachBuffer } from '../platform/memory/detach-buffer.js';
import type { PayloadRef, PayloadStore } from '../platform/payloads/payload-store.js';
import type { Runtimes } from '../runtimes/runtimes.js';
import { SandboxFailure, type SandboxJob } from '../sandbox/sandbox.js';
import { decodeExecutionInput } from '../tasks/domain/execution-input.js';
import { timeoutMsOf } from '../tasks/domain/execution-shape.js';
import type { RunningExecution } from '../tasks/domain/execution-state.js';
import { decodeTestSuite, type TestSuite } from '../tasks/domain/test-suite.js';

/** What an attempt runs. Input and tests are views of their payloads. */
export interface StoredJob {
  readonly job: SandboxJob;
  /** Whether standard input is added while the program runs. */
  readonly isInteractive: boolean;
  /** Null for a run without tests. */
  readonly suite: TestSuite | null;
  /** Frees the payloads. Only after the run: no launcher reads from them then, since each has its job or is removed. */
  readonly free: () => void;
}

interface Parts {
  readonly payloads: PayloadStore;
  readonly runtimes: Runtimes;
}

/** @throws SandboxFailure if a part of it is gone; Unavailable */
export async function storedJob({ payloads, runtimes }: Parts, state: RunningExecution): Promise<StoredJob> {
  const { spec, image_digest, attempt } = state;
  const runtime = runtimes.named(spec.script_type);
  if (!runtime) throw new SandboxFailure(`this worker has no runtime ${spec.script_type}`, false);
  const [script, stored, tests] = await allSettled([
    required(payloads, spec.script, 'the script has been destroyed'),
    optional(payloads, spec.input, 'the input has been destroyed'),
    optional(payloads, spec.suite?.payload, 'the tests have been destroyed'),
  ]);
  const input = stored === null ? {} : decodeExecutionInput(stored);
  const { stdin, files, args, env, outputs, interactive: isInteractive = false } = input;
  const job: SandboxJob = {
    executionId: spec.execution_id,
    attempt,
    userId: spec.owner_id,
    runtime,
    imageDigest: image_digest,
    script,
    input: {
      ...(stdin && { stdin }),
      ...(args && { args }),
      ...(env && { env }),
      ...(outputs && { outputs }),
      ...(files && { files }),
    },
    limits: spec.limits,
    timeoutMs: timeoutMsOf(spec.timeout_seconds),
  };
  const free = (): void => {
    for (const content of [stored, tests]) if (content) detachBuffer(content);
  };
  return { job, isInteractive, suite: tests && decodeTestSuite(tests), free };
}

/** The attempt counts if it is missing: a released attempt would only fail again for the same reason. */
async function required(payloads: PayloadStore, ref: PayloadRef, missing: string): Promise<Uint8Array> {
  const content = await payloads.get(ref);
  if (content === null) throw new SandboxFailure(missing, true);
  return content;
}

const optional = (
  payloads: PayloadStore,
  ref: PayloadRef | null | undefined,
  missing: string,
): Promise<Uint8Array | null> => (ref ? required(payloads, ref, missing) : Promise.resolve(null));
