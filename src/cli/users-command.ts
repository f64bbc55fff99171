import { Command, InvalidArgumentError } from 'commander';

import { ErasurePass } from '../erasure/erasure-pass.js';
import { registerBody } from '../identity/api/auth-schemas.js';
import type { AccountName } from '../identity/app/account-administration.js';
import { decisionsOf, withAccounts } from './cli-context.js';
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
 * Records the erasure, then makes the passes that the service's sweep would make: a service that is down need not be
 * started. What an interrupted command has left is done by the sweep, or by the command with `user-<uuid>`.
 */
const erase = (account: AccountName): Promise<void> =>
  withAccounts(async ({ accounts, erasure, keys }, context) => {
    const { pool, store } = context;
    const id = await accounts.idOf(account);
    await erasure.erase(id, operatorMetadata());
    print(`user-${id}: the erasure is recorded`);
    const pass = new ErasurePass({ pool, store, decisions: decisionsOf(context), keys, liveOutput: null });
    const { signal } = new AbortController();
    let [cancelled, payloads, bytes] = [0, 0, 0];
    for (let isCut = true; isCut;) {
      const result = await pass.run(id, operatorMetadata, signal);
      cancelled += result.cancelled;
      payloads += result.payloads;
      bytes += result.bytes;
      isCut = result.isCut;
    }
    print(`user-${id} is erased: ${cancelled} executions cancelled, ${payloads} payloads of ${bytes} bytes destroyed`);
  });

function accountArgument(text: string): AccountName {
  if (text.startsWith('user-')) {
    const { type, id } = streamArgument(text);
    if (type === 'user') return { id };
  }
  if (registerBody.shape.email.safeParse(text).success) return { email: text };
  throw new InvalidArgumentError('Expected an email address or user-<uuid>.');
}
