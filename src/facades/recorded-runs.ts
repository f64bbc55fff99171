import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';

import type { Requester } from '../kernel/requester.js';
import { bufferView } from '../kernel/buffer-view.js';
import { PayloadStore } from '../platform/payloads/payload-store.js';
import type { ExecutionEvent, ExecutionSpec, OutputRef } from '../tasks/domain/execution-events.js';
import { executionNotFound } from '../tasks/domain/execution-decider.js';
import { GetExecutionHistory } from '../tasks/queries/execution-queries.js';
import type { ExecutionRow } from '../tasks/queries/execution-projection.js';
import { outputOf } from '../tasks/queries/output-excerpt.js';
import type { RecordedEvent } from '../event-sourcing/core/event.js';

/** What a program wrote, from its first byte on. Null: nothing is recorded yet, or it has been destroyed. */
export interface RecordedOutputs {
  readonly stdout: Buffer | null;
  readonly stderr: Buffer | null;
}

/** What the log keeps of an execution, for the answers of façades: they have no state of their own. */
@Injectable()
export class RecordedRuns {
  constructor(
    private readonly queries: QueryBus,
    private readonly payloads: PayloadStore,
  ) {}

  outputs({ stdout, stderr }: Pick<ExecutionRow, 'stdout' | 'stderr'>): Promise<RecordedOutputs> {
    return this.both(stdout, stderr);
  }

  /** Null for a runtime without a compiler. */
  async compilerOutputs({ compile }: Pick<ExecutionRow, 'compile'>): Promise<RecordedOutputs | null> {
    return compile && this.both(compile.stdout, compile.stderr);
  }

  /** What the execution was started with. @throws DomainError execution_not_found, access_denied */
  async spec(executionId: string, requester: Requester): Promise<ExecutionSpec> {
    for await (const events of await this.queries.execute(new GetExecutionHistory(executionId, requester, 0, 1))) {
      const [first] = events as readonly RecordedEvent<ExecutionEvent>[];
      if (first?.type === 'ExecutionRequested') return first.data;
    }
    throw executionNotFound();
  }

  private async both(stdout: OutputRef | null, stderr: OutputRef | null): Promise<RecordedOutputs> {
    const [out, err] = await Promise.all([this.head(stdout), this.head(stderr)]);
    return { stdout: out, stderr: err };
  }

  /** Without the part after a gap: these services keep the beginning of an output that is too long. */
  private async head(output: OutputRef | null): Promise<Buffer | null> {
    if (output === null) return null;
    const content = await outputOf(output, this.payloads);
    return content && bufferView(content).subarray(0, output.truncated ? output.head_bytes : undefined);
  }
}
