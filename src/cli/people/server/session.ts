import { VoidRunner } from '@voidrunner/client';

import { ignoreErrors } from '../../../platform/async/ignore-errors.js';
import { ask, askSecret } from '../terminal/prompt.js';
import { readConfig } from './config-file.js';
import { type Server, serverUrl, type ServerOption, use } from './connection.js';

export interface AccountOptions extends ServerOption {
  readonly email?: string;
}

/** Asks for email and password, and ends the session afterwards: an API key may not manage API keys. */
export async function withSession<T>(
  options: AccountOptions,
  work: (server: Server, email: string) => Promise<T>,
): Promise<T> {
  const config = await readConfig();
  const url = serverUrl(options, config);
  const known = options.email ?? config.servers[url]?.email;
  const email = known ?? (await ask(`Email for ${url}: `)).trim();
  const password = await askSecret(`Password of ${email}: `);
  const vr = new VoidRunner({ baseUrl: url });
  return use(url, vr, async (server) => {
    await vr.auth.login({ email, password });
    try {
      return await work(server, email);
    } finally {
      await ignoreErrors(vr.auth.logout(), 'the session expires by itself');
    }
  });
}
