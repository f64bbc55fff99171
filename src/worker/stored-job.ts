import type { PayloadStore } from '../platform/payloads/payload-store.js';
import type { Runtimes } from '../runtimes/runtimes.js';
import { SandboxFailure, type SandboxJob } from '../sandbox/sandbox.js';
import { decodeExecutionInput } from '../tasks/domain/execution-input.js';
import { timeoutMsOf } from '../tasks/domain/execution-shape.js';
import type { RunningExecution } from '../tasks/domain/execution-state.js';
import { decodeTestSuite, type TestSuite } from '../tasks/domain/test-suite.js';

/** What an attempt runs. */
export interface StoredJob {
  readonly job: SandboxJob;
  /** Whether standard input is added while the program runs. */
  readonly isInteractive: boolean;
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
  const [script, stored] = await Promise.all([
    payloads.get(spec.script),
    spec.input === null ? null : payloads.get(spec.input),
  ]);
  // The attempt counts: a released attempt would only fail again for the same reason.
  if (script === null) throw new SandboxFailure('the script has been destroyed', true);
  if (spec.input !== null && stored === null) throw new SandboxFailure('the input has been destroyed', true);
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
  return { job, isInteractive };
}

/** @returns null for a run without tests. @throws SandboxFailure, Unavailable */
export async function storedSuite(payloads: PayloadStore, { spec }: RunningExecution): Promise<TestSuite | null> {
  if (spec.suite === null) return null;
  const content = await payloads.get(spec.suite.payload);
  if (content === null) throw new SandboxFailure('the tests have been destroyed', true);
  return decodeTestSuite(content);
}
