import { z } from 'zod';

import { bufferView } from '../../kernel/buffer-view.js';
import type { Requester } from '../../kernel/requester.js';
import type { ExecutionSpec } from '../../tasks/domain/execution-events.js';
import type { ExecutionInput } from '../../tasks/domain/execution-input.js';
import type { ExecutionRow } from '../../tasks/queries/execution-projection.js';
import type { TaskRow } from '../../tasks/queries/task-projection.js';
import type { RecordedOutputs } from '../recorded-runs.js';
import { isSameOutput, type SubmissionEnd, submissionEnd } from './submission-end.js';
import { isOfSubmission, submissionSettings } from './submission-settings.js';

/** Reads what the log keeps of an execution. */
export interface SubmissionSources {
  outputs(row: ExecutionRow): Promise<RecordedOutputs>;
  compilerOutputs(row: ExecutionRow): Promise<RecordedOutputs | null>;
  spec(row: ExecutionRow, requester: Requester): Promise<ExecutionSpec>;
  /** As it was created: a later change is no part of the submission. */
  task(row: ExecutionRow): Promise<TaskRow>;
  /** Undefined: none was sent; null: it has been destroyed. */
  expected(task: TaskRow): Promise<Buffer | null | undefined>;
  source(spec: ExecutionSpec): Promise<Buffer | null>;
  input(spec: ExecutionSpec): Promise<ExecutionInput>;
  /** Null: none was sent, or it has been destroyed. */
  callbackUrl(spec: ExecutionSpec, row: ExecutionRow): Promise<string | null>;
}

const recordedMetadata = submissionSettings.partial().extend({ language_id: z.int().optional() });

/** What a submission shows. Each part is read when it is first asked for, and once. */
export class RecordedSubmission {
  private readonly read = new Map<string, Promise<unknown>>();

  constructor(
    readonly row: ExecutionRow,
    private readonly requester: Requester,
    private readonly sources: SubmissionSources,
  ) {}

  outputs(): Promise<RecordedOutputs> {
    return this.once('outputs', () => this.sources.outputs(this.row));
  }

  /** Both streams, as its compiler writes them into one file. */
  async compilerOutput(): Promise<Buffer | null> {
    if (this.row.compile?.return_code === null) return Buffer.from('Compilation time limit exceeded.');
    const outputs = await this.once('compiler', () => this.sources.compilerOutputs(this.row));
    return outputs && Buffer.concat([outputs.stdout, outputs.stderr].filter((each) => each !== null));
  }

  end(): Promise<SubmissionEnd> {
    return this.once('end', async () => {
      const { cpu_time_limit } = await this.settings();
      return submissionEnd(this.row, cpu_time_limit, () => this.isAsExpected());
    });
  }

  /** The settings that it was sent with, and its language; nothing of an execution that another client has started. */
  settings() {
    return this.once('settings', async () => {
      const { metadata } = (await this.task()).definition;
      const parsed = recordedMetadata.safeParse(isOfSubmission(metadata) ? metadata : {});
      return parsed.success ? parsed.data : {};
    });
  }

  expected(): Promise<Buffer | null | undefined> {
    return this.once('expected', async () => this.sources.expected(await this.task()));
  }

  source(): Promise<Buffer | null> {
    return this.once('source', async () => this.sources.source(await this.spec()));
  }

  async stdin(): Promise<Buffer | null> {
    const { stdin } = await this.input();
    return stdin ? bufferView(stdin) : null;
  }

  async args(): Promise<readonly string[]> {
    return (await this.input()).args ?? [];
  }

  /** It may contain a secret: for who has sent it only. */
  async callbackUrl(): Promise<string | null> {
    const spec = await this.spec();
    const isSender = this.requester !== 'system' && this.requester.userId === spec.webhook?.owner_id;
    return isSender ? this.sources.callbackUrl(spec, this.row) : null;
  }

  private input(): Promise<ExecutionInput> {
    return this.once('input', async () => this.sources.input(await this.spec()));
  }

  private spec(): Promise<ExecutionSpec> {
    return this.once('spec', () => this.sources.spec(this.row, this.requester));
  }

  private task(): Promise<TaskRow> {
    return this.once('task', () => this.sources.task(this.row));
  }

  private async isAsExpected(): Promise<boolean | null> {
    const expected = await this.expected();
    if (expected === undefined) return true;
    const { stdout } = await this.outputs();
    return expected && stdout && isSameOutput(expected, stdout);
  }

  private once<T>(name: string, read: () => Promise<T>): Promise<T> {
    const known = this.read.get(name) as Promise<T> | undefined;
    if (known) return known;
    const reading = read();
    this.read.set(name, reading);
    return reading;
  }
}
