import { isUtf8 } from 'node:buffer';

import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';

import { bufferView } from '../../kernel/buffer-view.js';
import type { Requester } from '../../kernel/requester.js';
import { type PayloadRef, PayloadStore } from '../../platform/payloads/payload-store.js';
import { SuiteStore } from '../../tasks/commands/suite-store.js';
import { decodeExecutionInput } from '../../tasks/domain/execution-input.js';
import type { ExecutionRow } from '../../tasks/queries/execution-projection.js';
import { keptBytesOf } from '../../tasks/queries/output-excerpt.js';
import { GetTaskFromLog } from '../../tasks/queries/task-queries.js';
import { EndpointSeals } from '../../webhook-endpoints/endpoint-seals.js';
import { RecordedRuns } from '../recorded-runs.js';
import { lineOf } from './command-line.js';
import { LanguageCatalog } from './language-catalog.js';
import { RecordedSubmission, type SubmissionSources } from './recorded-submission.js';
import type { Field, Shape } from './submission-fields.js';
import { isOfSubmission } from './submission-settings.js';
import { statusOf } from './statuses.js';

/** A text that was asked for is not UTF-8, and was not asked for in base64. */
export class NotText extends Error {}

/** Called with the bytes of what is read next. */
export type Grow = (bytes: number) => Promise<void>;

const BYTES_PER_KIB = 1_024;
const BASE64_LINE_CHARS = 60;

/** Submissions as they are sent. All that they show is read from the log and its payloads. */
@Injectable()
export class SubmissionViews {
  constructor(
    private readonly runs: RecordedRuns,
    private readonly languages: LanguageCatalog,
    private readonly queries: QueryBus,
    private readonly payloads: PayloadStore,
    private readonly suites: SuiteStore,
    private readonly endpoints: EndpointSeals,
  ) {}

  /** @throws NotText */
  async of(row: ExecutionRow, requester: Requester, { fields, isBase64, textBytesMax }: Shape, grow: Grow) {
    const submission = new RecordedSubmission(row, requester, this.sources(grow));
    const view: Partial<Record<Field, unknown>> = {};
    for (const field of fields) {
      const value = await this.valueOf(field, submission);
      view[field] = Buffer.isBuffer(value) ? sentText(value.subarray(0, textBytesMax), isBase64) : value;
    }
    return view;
  }

  /** A buffer is a text, which may be sent in base64. */
  private valueOf(field: Field, submission: RecordedSubmission): unknown {
    const read = OF_SUBMISSION[field];
    if (read) return read(submission);
    if (field === 'language') return this.languageOf(submission);
    if (field === 'language_id') return this.languageOf(submission).then(({ id }) => id);
    return null;
  }

  private async languageOf(submission: RecordedSubmission) {
    const { language_id } = await submission.settings();
    return this.languages.ofRuntime(submission.row.script_type, language_id);
  }

  private sources(grow: Grow): SubmissionSources {
    const content = async (ref: PayloadRef): Promise<Buffer | null> => {
      await grow(ref.bytes);
      const bytes = await this.payloads.get(ref);
      return bytes && bufferView(bytes);
    };
    return {
      outputs: async (row) => {
        await grow(keptBytesOf([row]));
        return this.runs.outputs(row);
      },
      compilerOutputs: (row) => this.runs.compilerOutputs(row),
      spec: (row, requester) => this.runs.spec(row.id, requester),
      task: (row) => this.queries.execute(new GetTaskFromLog(row.task_id, 1)),
      expected: async ({ definition: { suite, metadata } }) => {
        if (suite === null || !isOfSubmission(metadata)) return undefined;
        await grow(suite.payload.bytes);
        const expected = (await this.suites.get(suite))?.tests[0]?.expected_stdout;
        return expected ? bufferView(expected) : null;
      },
      source: ({ script }) => content(script),
      input: async ({ input }) => {
        const bytes = input && (await content(input));
        return bytes ? decodeExecutionInput(bytes) : {};
      },
      callbackUrl: async ({ webhook }, { id }) =>
        webhook && ((await this.endpoints.open(webhook.owner_id, { executionId: id }, webhook.endpoint))?.url ?? null),
    };
  }
}

const OF_SUBMISSION: Partial<Record<Field, (submission: RecordedSubmission) => unknown>> = {
  token: ({ row }) => row.id,
  status: async (submission) => statusOf((await submission.end()).status),
  status_id: async (submission) => (await submission.end()).status,
  exit_code: async (submission) => (await submission.end()).exit_code,
  exit_signal: async (submission) => (await submission.end()).exit_signal,
  message: async (submission) => bytesOf((await submission.end()).message),
  stdout: async (submission) => ifAny((await submission.outputs()).stdout),
  stderr: async (submission) => ifAny((await submission.outputs()).stderr),
  compile_output: async (submission) => ifAny(await submission.compilerOutput()),
  source_code: (submission) => submission.source(),
  stdin: (submission) => submission.stdin(),
  expected_output: async (submission) => (await submission.expected()) ?? null,
  command_line_arguments: async (submission) => lineOf(await submission.args()),
  time: ({ row }) => secondsOf(row.cpu_time_ms),
  wall_time: ({ row }) => secondsOf(row.execution_time_ms),
  memory: ({ row }) => row.memory_usage_bytes && Math.round(row.memory_usage_bytes / BYTES_PER_KIB),
  created_at: ({ row }) => isoOf(row.created_at),
  queued_at: ({ row }) => isoOf(row.created_at),
  started_at: ({ row }) => isoOf(row.started_at),
  finished_at: ({ row }) => isoOf(row.completed_at),
  updated_at: ({ row }) => isoOf(row.completed_at ?? row.started_at ?? row.created_at),
  cpu_time_limit: async (submission) => decimalOf((await submission.settings()).cpu_time_limit),
  cpu_extra_time: async (submission) => decimalOf((await submission.settings()).cpu_extra_time),
  wall_time_limit: async (submission) => decimalOf((await submission.settings()).wall_time_limit),
  memory_limit: async (submission) => (await submission.settings()).memory_limit ?? null,
  stack_limit: async (submission) => (await submission.settings()).stack_limit ?? null,
  max_processes_and_or_threads: async (submission) =>
    (await submission.settings()).max_processes_and_or_threads ?? null,
  max_file_size: async (submission) => (await submission.settings()).max_file_size ?? null,
  number_of_runs: () => 1,
  callback_url: (submission) => submission.callbackUrl(),
  enable_per_process_and_thread_time_limit: () => false,
  enable_per_process_and_thread_memory_limit: () => false,
  redirect_stderr_to_stdout: () => false,
  enable_network: () => false,
};

/** Rails sends decimals as texts. */
const decimalOf = (value: number | undefined): string | null =>
  value === undefined ? null : Number.isInteger(value) ? value.toFixed(1) : String(value);
const secondsOf = (ms: number | null): string | null => (ms === null ? null : String(ms / 1_000));
const isoOf = (time: string | Date | null): string | null => (time === null ? null : new Date(time).toISOString());
const bytesOf = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));
const ifAny = (bytes: Buffer | null): Buffer | null => (bytes === null || bytes.length === 0 ? null : bytes);

/** In base64 as Ruby's encode64 writes it: lines of 60 characters, each ended. @throws NotText */
function sentText(bytes: Buffer, isBase64: boolean): string {
  if (isBase64) return bytes.toString('base64').replaceAll(new RegExp(`.{1,${BASE64_LINE_CHARS}}`, 'g'), '$&\n');
  if (!isUtf8(bytes)) throw new NotText();
  return bytes.toString('utf8');
}
