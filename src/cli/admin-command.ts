import { text } from 'node:stream/consumers';

import { Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';

import { registerBody } from '../identity/api/auth-schemas.js';
import { DomainError } from '../kernel/errors.js';
import { withAccounts } from './cli-context.js';
import { operatorMetadata } from './operator.js';
import { print } from './output.js';

/** Only this command makes admins: the HTTP API cannot. */
export function adminCommand(): Command {
  const admin = new Command('admin');
  admin
    .command('create')
    .description('create an admin account; the password is read from standard input')
    .argument('<email>', '', emailArgument)
    .option('--name <name>', 'shown to people', nameArgument, 'Admin')
    .action(async (email: string, { name }: { name: string }) => {
      const password = (await text(process.stdin)).replace(/\r?\n$/, '');
      const fault = faultOf(registerBody.shape.password, password);
      if (fault !== undefined) throw new DomainError('invalid_password', `Invalid password: ${fault}`, 'invalid');
      const account = { email, password, name };
      await withAccounts(async ({ accounts }) => {
        print(`user-${await accounts.createAdmin(account, operatorMetadata())} is an admin`);
      });
    });
  for (const [verb, isAdmin] of [
    ['grant', true],
    ['revoke', false],
  ] as const) {
    admin
      .command(verb)
      .description(isAdmin ? 'make an account an admin' : 'make an account a normal account, and end its sessions')
      .argument('<email>', '', emailArgument)
      .action((email: string) =>
        withAccounts(async ({ accounts }) => {
          const id = await accounts.setAdmin(email, isAdmin, operatorMetadata());
          print(`user-${id} is ${isAdmin ? 'an admin' : 'not an admin'}`);
        }),
      );
  }
  return admin;
}

function emailArgument(text: string): string {
  const fault = faultOf(registerBody.shape.email, text);
  if (fault !== undefined) throw new InvalidArgumentError('Expected an email address, such as ada@example.com.');
  return text;
}

function nameArgument(text: string): string {
  const fault = faultOf(registerBody.shape.name, text);
  if (fault !== undefined) throw new InvalidArgumentError(`${fault}.`);
  return text.trim();
}

/** The message of the first fault, without the value. */
const faultOf = (schema: z.ZodType, value: unknown): string | undefined =>
  schema.safeParse(value).error?.issues[0]?.message;
