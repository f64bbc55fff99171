import { Command, InvalidArgumentError } from 'commander';

import { masterKeysOf } from '../composition/secrets.js';
import { registerBody } from '../identity/api/auth-schemas.js';
import type { AccountName } from '../identity/app/account-administration.js';
import { DomainError } from '../kernel/errors.js';
import { DataKeys } from '../platform/payloads/data-keys.js';
import { PayloadDestruction } from '../platform/payloads/payload-destruction.js';
import { sweepCompiledPrograms } from '../platform/payloads/postgres-compiled-programs.js';
import { CancelBatchHandler } from '../tasks/commands/cancel-batch.js';
import { decideExecution } from '../tasks/commands/decide-execution.js';
import { CancelBatch } from '../tasks/domain/batch-commands.js';
import { CancelExecution } from '../tasks/domain/execution-commands.js';
import { CurrentStatuses } from '../tasks/queries/current-statuses.js';
import { type CliContext, decisionsOf, withAccounts } from './cli-context.js';
import { operatorMetadata } from './operator.js';
import { print } from './output.js';
import { streamArgument } from './stream-argument.js';

export function usersCommand(): Command {
  const users = new Command('users');
  users
    .command('erase')
    .description('erase an account permanently: personal data, sessions, and everything it stored; may be repeated')
    .argument('<account>', 'its email, or user-<uuid>', accountArgument)
    .action(erase);
  return users;
}

/**
 * The key is destroyed first: then nothing of the account can be read or stored, and its open sessions achieve nothing.
 * The email is erased last, so that an interrupted command can be repeated with the same arguments.
 */
const erase = (account: AccountName): Promise<void> =>
  withAccounts(async (accounts, context) => {
    const { config, pool } = context;
    const id = await accounts.idOf(account);
    await new DataKeys(pool, masterKeysOf(config)).destroy(id);
    await cancelBatches(context, id);
    const cancelled = await cancelExecutions(context, id);
    const destruction = new PayloadDestruction(pool);
    await destruction.destroyOf(id, new AbortController().signal);
    await sweepCompiledPrograms(pool);
    await accounts.erase(id, operatorMetadata());
    const { payloads, bytes } = destruction.figures;
    print(`user-${id} is erased: ${cancelled} executions cancelled, ${payloads} payloads of ${bytes} bytes destroyed`);
  });

/** Nothing more of them is started. What one that the view does not have yet starts ends by itself, like executions. */
async function cancelBatches(context: CliContext, ownerId: string): Promise<void> {
  const { pool, store } = context;
  const handler = new CancelBatchHandler(decisionsOf(context), new CurrentStatuses(pool, store));
  const { rows } = await pool.query<{ id: string }>(
    `select id from read.batches where owner_id = $1 and status = 'starting'`,
    [ownerId],
  );
  for (const { id } of rows) {
    await unlessEnded(() => handler.execute(new CancelBatch(id, 'system', operatorMetadata(id))));
  }
}

/** Executions that the view does not have yet end by themselves: their script no longer exists. */
async function cancelExecutions(context: CliContext, ownerId: string): Promise<number> {
  const decisions = decisionsOf(context);
  const { rows } = await context.pool.query<{ id: string }>(
    `select id from read.executions where owner_id = $1 and status in ('pending', 'running')`,
    [ownerId],
  );
  let cancelled = 0;
  for (const { id } of rows) {
    const command = new CancelExecution(id, 'system', operatorMetadata(id));
    if (await unlessEnded(() => decideExecution(decisions, command))) cancelled += 1;
  }
  return cancelled;
}

/** @returns false if it has ended in the meantime */
async function unlessEnded(cancel: () => Promise<unknown>): Promise<boolean> {
  try {
    await cancel();
    return true;
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  }
}

function accountArgument(text: string): AccountName {
  if (text.startsWith('user-')) {
    const { type, id } = streamArgument(text);
    if (type === 'user') return { id };
  }
  if (registerBody.shape.email.safeParse(text).success) return { email: text };
  throw new InvalidArgumentError('Expected an email address or user-<uuid>.');
}
