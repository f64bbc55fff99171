import { Command, InvalidArgumentError } from 'commander';

import { print } from '../output.js';
import { wholeNumberBetween } from '../whole-number.js';
import { SCOPES } from './login-command.js';
import { withServerOption } from './server/connection.js';
import { type AccountOptions, withSession } from './server/session.js';
import { timeText } from './terminal/figures.js';
import { printList } from './terminal/list.js';
import { idArgument } from './id-argument.js';

interface CreateArguments extends AccountOptions {
  readonly scope?: readonly (typeof SCOPES)[number][];
  readonly days?: number;
}

const DAYS_MAX = 3_650;
const MS_PER_DAY = 86_400_000;

const EXAMPLES = `
Examples:
  voidrunner api-keys list
  voidrunner api-keys create ci --scope executions:write --scope executions:read --days 90
  voidrunner api-keys revoke 01980000-0000-7000-8000-000000000000

API keys are managed with your password, which is asked for: no API key may.`;

export function apiKeysCommand(): Command {
  const keys = new Command('api-keys').addHelpText('after', EXAMPLES);
  const command = (name: string, description: string) =>
    withServerOption(keys.command(name).description(description)).option(
      '--email <email>',
      'that of the login by default',
    );
  command('list', 'list the API keys of your account')
    .option('--json', 'one JSON object per line')
    .action((options: AccountOptions & { readonly json?: boolean }) =>
      withSession(options, async ({ vr }) =>
        printList(await vr.keys.list(), options, [
          { title: 'ID', value: ({ id }) => id },
          { title: 'NAME', value: ({ name }) => name, flexible: true },
          { title: 'SCOPES', value: ({ scopes }) => scopes.join(' '), flexible: true },
          { title: 'CREATED', value: ({ created_at }) => timeText(created_at) },
          { title: 'EXPIRES', value: ({ expires_at }) => timeText(expires_at) },
          { title: 'LAST USED', value: ({ last_used_at }) => timeText(last_used_at) },
        ]),
      ),
    );
  command('create', 'make an API key and print it; it is never shown again')
    .argument('<name>', 'what it is for')
    .option('--scope <scope>', `repeat it; by default ${SCOPES.join(', ')}`, scopes)
    .option('--days <number>', 'how long it is valid; otherwise until it is revoked', wholeNumberBetween(1, DAYS_MAX))
    .action(create);
  command('revoke', 'revoke an API key')
    .argument('<id>', 'the id in the list, not the key', idArgument)
    .action((id: string, options: AccountOptions) =>
      withSession(options, async ({ vr }) => {
        await vr.keys.revoke(id);
      }),
    );
  return keys;
}

const create = (name: string, { scope, days, ...options }: CreateArguments): Promise<void> =>
  withSession(options, async ({ vr }) => {
    const { key } = await vr.keys.create({
      name,
      scopes: [...(scope ?? SCOPES)],
      ...(days !== undefined && { expires_at: new Date(Date.now() + days * MS_PER_DAY).toISOString() }),
    });
    print(key);
  });

function scopes(text: string, before: CreateArguments['scope'] = []): CreateArguments['scope'] {
  const scope = SCOPES.find((each) => each === text);
  if (scope === undefined) throw new InvalidArgumentError(`Expected one of ${SCOPES.join(', ')}.`);
  return [...before, scope];
}
