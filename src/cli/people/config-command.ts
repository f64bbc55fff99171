import { Argument, Command } from 'commander';

import { EXIT_FAULTS } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { print } from '../output.js';
import { configPath, readConfig, writeConfig } from './server/config-file.js';
import { serverUrl, urlOf } from './server/connection.js';
import { keyFromEnvironment, urlFromEnvironment } from './server/environment.js';

const NAMES = ['server'] as const;

const EXAMPLES = `
Examples:
  voidrunner config set server https://run.example.com
  voidrunner config get server
  voidrunner config list

VOIDRUNNER_URL and VOIDRUNNER_API_KEY take precedence over the file. API keys are never shown.`;

export function configCommand(): Command {
  const config = new Command('config').addHelpText('after', EXAMPLES);
  const name = () => new Argument('<name>', 'server: the URL that commands use').choices(NAMES);
  config
    .command('get')
    .description('print a value')
    .addArgument(name())
    .action(async () => {
      const { server } = await readConfig();
      if (server === undefined) throw new Failure('server is not set', EXIT_FAULTS);
      print(server);
    });
  config
    .command('set')
    .description('change a value')
    .addArgument(name())
    .argument('<value>')
    .action(async (_name: string, value: string) => writeConfig({ ...(await readConfig()), server: urlOf(value) }));
  config
    .command('list')
    .description('print the values in force, and the servers with a login')
    .option('--json', 'as a JSON object')
    .action(list);
  config
    .command('path')
    .description('print the path of the file')
    .action(() => print(configPath()));
  return config;
}

async function list({ json }: { readonly json?: boolean }): Promise<void> {
  const config = await readConfig();
  const logins = Object.entries(config.servers).map(([url, { email, api_key }]) => ({
    url,
    email: email ?? null,
    has_key: api_key !== undefined,
  }));
  const server = serverUrl({}, config);
  const fromEnvironment = keyFromEnvironment() !== undefined;
  if (json) {
    print(JSON.stringify({ server, key_from_environment: fromEnvironment, logins }));
    return;
  }
  print(`server: ${server}${urlFromEnvironment() === undefined ? '' : ' (VOIDRUNNER_URL)'}`);
  if (fromEnvironment) print('API key: from VOIDRUNNER_API_KEY');
  for (const { url, email, has_key } of logins) {
    if (has_key) print(`logged in: ${url}${email === null ? '' : ` as ${email}`}`);
  }
}
