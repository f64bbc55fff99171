import { hash } from 'node:crypto';

import type { ICommand } from '@nestjs/cqrs';

import { newId } from '../../../../src/kernel/uuid.js';
import {
  ReleaseAttempt,
  ReportFailure,
  ReportSuccess,
  StartAttempt,
} from '../../../../src/tasks/domain/execution-commands.js';
import type { Api } from './api.js';

const metadata = { actor: 'system:test', correlation_id: 'test' } as const;
const SHA256_OF_NOTHING = hash('sha256', '');
const NOTHING_WRITTEN = { payload: null, bytes_total: 0, truncated: false };
const RAN = {
  ...{ signal: null, stdout: NOTHING_WRITTEN, stderr: NOTHING_WRITTEN },
  ...{ wall_time_ms: 1, cpu_time_ms: 1, memory_peak_bytes: 1 },
};

/** Reports about an attempt without a worker: the test controls the time. */
export async function startAttempt(api: Api, executionId: string, attempt = 1) {
  const commands = { execute: (command: ICommand) => api.service.processes[0]!.commands!.execute(command) };
  const lease = { executionId, attempt, leaseToken: newId() };
  await commands.execute(new StartAttempt(lease, 'test', 0, metadata));
  return {
    lease,
    /** If a cancel was requested, the execution is cancelled now. */
    release: () => commands.execute(new ReleaseAttempt(lease, 'test', metadata)),
    /** With empty files. */
    succeed: (paths: readonly string[]) => {
      const empty = { bytes: 0, sha256: SHA256_OF_NOTHING, media_type: 'text/plain', payload: null };
      const files = paths.map((path) => ({ path, ...empty }));
      return commands.execute(new ReportSuccess(lease, { ...RAN, return_code: 0, files }, metadata));
    },
    fail: (return_code: number) => {
      const failure = { reason: 'exit_code' as const, detail: null, result: { ...RAN, return_code } };
      return commands.execute(new ReportFailure(lease, failure, { now: new Date(), random: 0 }, metadata));
    },
  };
}
