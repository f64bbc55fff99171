import { SpanStatusCode } from '@opentelemetry/api';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { VoidRunner } from '@voidrunner/client';

import { ignoreErrors } from '../platform/async/ignore-errors.js';
import { inSpan } from '../platform/telemetry/trace-context.js';
import { CONCURRENT_CALLS_MAX } from './limits.js';
import type { Progress } from './progress.js';
import type { Tool } from './tool.js';
import {
  argumentsRefused,
  errorResult,
  failureOf,
  isUnknownLanguage,
  type ToolFailure,
  ToolRefusal,
} from './tool-errors.js';
import { TOOLS } from './tools.js';
import { RunInterrupted } from './run-to-end.js';

/** What a log may say about a call. */
export interface CallObservation {
  /** Undefined for a name that no tool has. */
  readonly tool: string | undefined;
  /** `ok`, `cancelled`, or the code of the error. */
  readonly outcome: string;
  readonly durationMs: number;
  /** Set for an error that is a bug. */
  readonly bug?: unknown;
}

export interface ToolCall {
  readonly name: string;
  readonly args: unknown;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** The calls of one session. */
export class ToolCalls {
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    private readonly vr: VoidRunner,
    private readonly onCall: (call: CallObservation) => void = () => undefined,
  ) {}

  /** Resolves when no call runs. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled(this.running);
  }

  /** @throws the reason of the signal */
  run(call: ToolCall): Promise<CallToolResult> {
    const running = this.observed(call);
    return this.tracked(running);
  }

  /** Counts what is no tool call as one. @throws ToolRefusal if too many run */
  read<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.running.size >= CONCURRENT_CALLS_MAX) return Promise.reject(tooMany());
    return this.tracked(work());
  }

  private async tracked<Result>(running: Promise<Result>): Promise<Result> {
    this.running.add(running);
    try {
      return await running;
    } finally {
      this.running.delete(running);
    }
  }

  private observed(call: ToolCall): Promise<CallToolResult> {
    const tool = TOOLS.find(({ name }) => name === call.name);
    const isTooMuch = this.running.size >= CONCURRENT_CALLS_MAX;
    const startMs = performance.now();
    const observe = (outcome: string, bug?: unknown) =>
      this.onCall({
        tool: tool?.name,
        outcome,
        durationMs: performance.now() - startMs,
        ...(bug !== undefined && { bug }),
      });
    return inSpan('mcp.tool', { attributes: { 'mcp.tool': tool?.name ?? 'unknown' } }, async (span) => {
      try {
        if (isTooMuch) throw tooMany();
        const result = await this.carriedOut(tool, call);
        observe('ok');
        return result;
      } catch (error) {
        if (call.signal.aborted) {
          observe('cancelled');
          throw error;
        }
        const failure = await this.failure(error, call.signal);
        span.setStatus({ code: SpanStatusCode.ERROR, message: failure?.code ?? 'bug' });
        if (failure) observe(failure.code);
        else observe('bug', error);
        return errorResult(failure ?? BUG);
      }
    });
  }

  private carriedOut(tool: Tool | undefined, { name, args, signal, progress }: ToolCall): Promise<CallToolResult> {
    if (!tool) throw unknownTool(name);
    const parsed = tool.input.safeParse(args ?? {});
    if (!parsed.success) throw argumentsRefused(tool.name, parsed.error);
    return tool.call(parsed.data, { vr: this.vr, signal, progress });
  }

  private async failure(error: unknown, signal: AbortSignal): Promise<ToolFailure | null> {
    const cause = error instanceof RunInterrupted ? error.cause : error;
    return failureOf(error, isUnknownLanguage(cause) ? await this.languages(signal) : []);
  }

  private async languages(signal: AbortSignal): Promise<readonly string[]> {
    const runtimes = await ignoreErrors(this.vr.runtimes.list({ signal }), 'the error is told without the names');
    return (runtimes ?? []).map(({ name }) => name);
  }
}

const BUG: ToolFailure = { code: 'bug', text: 'Internal error of the MCP server. Repeating the call may not help.' };

const tooMany = (): ToolRefusal =>
  new ToolRefusal(
    'too_many_calls',
    `At most ${CONCURRENT_CALLS_MAX} calls of a session run at the same time. Wait for one to end, and repeat this one.`,
  );

const unknownTool = (name: string): ToolRefusal => {
  const names = TOOLS.map((tool) => tool.name).join(', ');
  return new ToolRefusal(
    'unknown_tool',
    `There is no tool ${JSON.stringify(name.slice(0, 64))}. Use one of: ${names}.`,
  );
};
