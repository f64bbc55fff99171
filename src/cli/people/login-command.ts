import { hostname } from 'node:os';

import { type CreatedKey, NotFoundError, VoidRunner } from '@voidrunner/client';
import { Command, InvalidArgumentError } from 'commander';

import { Failure } from '../failure.js';
import { warn } from '../output.js';
import { type KnownServer, readConfig, writeConfig } from './server/config-file.js';
import { type Server, serverUrl, use, withServerOption } from './server/connection.js';
import { type AccountOptions, withSession } from './server/session.js';
import { askSecret } from './terminal/prompt.js';

/** What the commands need. */
export const SCOPES = ['tasks:read', 'tasks:write', 'executions:read', 'executions:write', 'events:read'] as const;
const KEY_NAME_CHARS_MAX = 100;

interface LoginArguments extends AccountOptions {
  readonly key?: true;
  readonly token?: true;
}

const EXAMPLES = `
Examples:
  voidrunner login --server https://run.example.com
  printenv MY_KEY | voidrunner login --server https://run.example.com --key -

The API key is stored in the file of "voidrunner config path", which only you can read.`;

export const loginCommand = (): Command =>
  withServerOption(new Command('login'))
    .option('--email <email>', 'asked for otherwise')
    .option('--key <->', 'store an API key that you have, read from standard input', onlyStandardInput)
    .option('--token <->', 'make a key with an access token, read from standard input', onlyStandardInput)
    .addHelpText('after', EXAMPLES)
    .action(login);

/** Arguments are visible to every user of a machine. The text is not repeated: it may be a key. */
function onlyStandardInput(text: string): true {
  if (text !== '-') throw new InvalidArgumentError('Expected -: others can see the arguments of a command.');
  return true;
}

async function login(options: LoginArguments): Promise<void> {
  if (options.key && options.token) throw new Failure('--key and --token exclude each other');
  const url = serverUrl(options, await readConfig());
  if (options.key) await store(url, { api_key: await storedKey(url) });
  else if (options.token) {
    const headers = { authorization: `Bearer ${(await askSecret('Access token: ')).trim()}` };
    const created = await use(url, new VoidRunner({ baseUrl: url, headers }), (server) => makeKey(server, url));
    await store(url, { api_key: created.key, key_id: created.id });
  } else {
    await withSession(options, async (server, email) => {
      const created = await makeKey(server, url);
      await store(url, { api_key: created.key, key_id: created.id, email });
    });
  }
  warn(`voidrunner: logged in at ${url}`);
}

/** A key that the server accepts. Whatever its scopes are, a key that is not valid is a 401. */
async function storedKey(url: string): Promise<string> {
  const apiKey = (await askSecret('API key: ')).trim();
  if (!/^vr_\w+$/.test(apiKey)) throw new Failure('this is no API key: it begins with vr_');
  await use(url, new VoidRunner({ baseUrl: url, apiKey }), async ({ vr }) => {
    const { response } = await vr.http.GET('/api/v1/executions', { params: { query: { limit: 1 } } });
    if (response.status === 401) throw new Failure(`${url} refuses this API key`);
  });
  return apiKey;
}

/** The key before it, if this command line made one, is revoked: keys of an account are limited. */
async function makeKey({ vr }: Server, url: string): Promise<CreatedKey> {
  const name = `voidrunner on ${hostname()}`.slice(0, KEY_NAME_CHARS_MAX);
  const created = await vr.keys.create({ name, scopes: [...SCOPES] });
  const { key_id: before } = (await readConfig()).servers[url] ?? {};
  if (before !== undefined) {
    try {
      await vr.keys.revoke(before);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }
  return created;
}

async function store(url: string, known: KnownServer): Promise<void> {
  const config = await readConfig();
  await writeConfig({ server: url, servers: { ...config.servers, [url]: known } });
}
