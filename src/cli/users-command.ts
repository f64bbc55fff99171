import { Command, InvalidArgumentError } from 'commander';

import { masterKeysOf } from '../composition/secrets.js';
import { CancelExecution } from '../tasks/domain/execution-commands.js';
import { registerBody } from '../identity/api/auth-schemas.js';
import type { AccountName } from '../identity/app/account-administration.js';
import { DomainError } from '../kernel/errors.js';
import { decideExecution } from '../tasks/commands/decide-execution.js';
import { DataKeys } from '../platform/payloads/data-keys.js';
import { PayloadDestruction } from '../platform/payloads/payload-destruction.js';
import { type CliContext, decisionsOf, print, withAccounts } from './cli-context.js';
import { operatorMetadata } from './operator.js';
import { streamArgument } from './stream-argument.js';

export function usersCommand(): Command {
  const users = new Command('users').description('accounts');
  users
    .command('erase')
    .description('erase an account for good: who it was, its sessions, and all that it stored. May be repeated')
    .argument('<account>', 'its email, or user-<uuid>', accountArgument)
    .action(erase);
  return users;
}

/**
 * Without its key nothing of the account can be read or stored, so that whatever its sessions still begin comes to
 * nothing. Its email goes last: until then a command that was interrupted is repeated as it was given.
 */
const erase = (account: AccountName): Promise<void> =>
  withAccounts(async (accounts, context) => {
    const { config, pool } = context;
    const id = await accounts.idOf(account);
    await new DataKeys(pool, masterKeysOf(config)).destroy(id);
    const cancelled = await cancelRuns(context, id);
    const destruction = new PayloadDestruction(pool);
    await destruction.destroyOf(id, new AbortController().signal);
    await accounts.erase(id, operatorMetadata());
    const { payloads, bytes } = destruction.figures;
    print(`user-${id} is erased: ${cancelled} runs cancelled, ${payloads} payloads of ${bytes} bytes destroyed`);
  });

/** What the view does not know yet ends by itself: there is no script any more. */
async function cancelRuns(context: CliContext, ownerId: string): Promise<number> {
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
      // It has ended meanwhile.
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
  throw new InvalidArgumentError('An email address or user-<uuid> is expected.');
}
