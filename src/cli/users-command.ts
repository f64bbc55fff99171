import { Command, InvalidArgumentError } from 'commander';

import { masterKeysOf } from '../composition/secrets.js';
import { registerBody } from '../identity/api/auth-schemas.js';
import type { AccountName } from '../identity/app/account-administration.js';
import { DomainError } from '../kernel/errors.js';
import { DataKeys } from '../platform/payloads/data-keys.js';
import { PayloadDestruction } from '../platform/payloads/payload-destruction.js';
import { sweepCompiledPrograms } from '../platform/payloads/postgres-compiled-programs.js';
import { decideExecution } from '../tasks/commands/decide-execution.js';
import { CancelExecution } from '../tasks/domain/execution-commands.js';
import { type CliContext, decisionsOf, print, withAccounts } from './cli-context.js';
import { operatorMetadata } from './operator.js';
import { streamArgument } from './stream-argument.js';

export function usersCommand(): Command {
  const users = new Command('users').description('manage accounts');
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
    const cancelled = await cancelExecutions(context, id);
    const destruction = new PayloadDestruction(pool);
    await destruction.destroyOf(id, new AbortController().signal);
    await sweepCompiledPrograms(pool);
    await accounts.erase(id, operatorMetadata());
    const { payloads, bytes } = destruction.figures;
    print(`user-${id} is erased: ${cancelled} executions cancelled, ${payloads} payloads of ${bytes} bytes destroyed`);
  });

/** Executions that the view does not have yet end by themselves: their script no longer exists. */
async function cancelExecutions(context: CliContext, ownerId: string): Promise<number> {
  const decisions = decisionsOf(context);
  const { rows } = await context.pool.query<{ id: string }>(
    `select id from read.executions where owner_id = $1 and status in ('pending', 'running')`,
    [ownerId],
  );
  let cancelled = 0;
  for (const { id } of rows) {
    try {
      await decideExecution(decisions, new CancelExecution(id, 'system', operatorMetadata(id)));
      cancelled += 1;
    } catch (error) {
      // It has ended in the meantime.
      if (!(error instanceof DomainError)) throw error;
    }
  }
  return cancelled;
}

function accountArgument(text: string): AccountName {
  if (text.startsWith('user-')) {
    const { type, id } = streamArgument(text);
    if (type === 'user') return { id };
  }
  if (registerBody.shape.email.safeParse(text).success) return { email: text };
  throw new InvalidArgumentError('Expected an email address or user-<uuid>.');
}
