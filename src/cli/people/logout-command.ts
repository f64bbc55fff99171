import { NotFoundError } from '@voidrunner/client';
import { Command } from 'commander';

import { warn } from '../output.js';
import { readConfig, writeConfig } from './server/config-file.js';
import { serverUrl, withServerOption } from './server/connection.js';
import { keyFromEnvironment } from './server/environment.js';
import { type AccountOptions, withSession } from './server/session.js';

const EXAMPLES = `
Examples:
  voidrunner logout
  voidrunner logout --revoke

Without --revoke the key stays valid on the server: an API key cannot revoke itself.`;

export const logoutCommand = (): Command =>
  withServerOption(new Command('logout'))
    .option('--revoke', 'also revoke the key that login made; asks for the password')
    .option('--email <email>', 'with --revoke; that of the login by default')
    .addHelpText('after', EXAMPLES)
    .action(logout);

async function logout(options: AccountOptions & { readonly revoke?: boolean }): Promise<void> {
  const config = await readConfig();
  const url = serverUrl(options, config);
  const { [url]: known, ...servers } = config.servers;
  const { key_id: id } = known ?? {};
  if (options.revoke && id !== undefined) {
    await withSession(options, async ({ vr }) => {
      try {
        await vr.keys.revoke(id);
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
      }
    });
  }
  await writeConfig({ ...config, servers });
  if (known === undefined) warn(`voidrunner: there was no login at ${url}`);
  else if (options.revoke && id !== undefined) warn(`voidrunner: logged out at ${url}; the key is revoked`);
  else warn(`voidrunner: logged out at ${url}; the key stays valid until "voidrunner api-keys revoke"`);
  if (keyFromEnvironment() !== undefined) warn('voidrunner: VOIDRUNNER_API_KEY is still set, and is used');
}
