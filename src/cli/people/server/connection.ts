import { VoidRunner } from '@voidrunner/client';
import type { Command } from 'commander';

import { Failure } from '../../failure.js';
import { type PeopleConfig, readConfig } from './config-file.js';
import { keyFromEnvironment, urlFromEnvironment } from './environment.js';
import { failureOf } from './server-errors.js';

/** Where `make dev-up` starts a server. */
const URL_DEFAULT = 'http://localhost:8080';

export interface ServerOption {
  readonly server?: string;
}

export interface Server {
  readonly url: string;
  readonly vr: VoidRunner;
}

export const withServerOption = (command: Command): Command =>
  command.option('--server <url>', 'the server; otherwise VOIDRUNNER_URL, then that of the last login');

export function serverUrl({ server }: ServerOption, config: PeopleConfig): string {
  return urlOf(server ?? urlFromEnvironment() ?? config.server ?? URL_DEFAULT);
}

/** One spelling of a URL: it names a server in the configuration. */
export function urlOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new Failure('the server is not an http or https URL without credentials, query and fragment');
  }
  return url.href.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
}

/** VOIDRUNNER_API_KEY, or the key that `login` stored for this URL. */
export const apiKeyOf = (url: string, config: PeopleConfig): string | undefined =>
  keyFromEnvironment() ?? config.servers[url]?.api_key;

/** Uses a server with its API key. */
export async function withServer<T>(options: ServerOption, work: (server: Server) => Promise<T>): Promise<T> {
  const config = await readConfig();
  const url = serverUrl(options, config);
  const apiKey = apiKeyOf(url, config);
  if (!apiKey) throw new Failure(`not logged in at ${url}: run "voidrunner login --server ${url}"`);
  return use(url, new VoidRunner({ baseUrl: url, apiKey }), work);
}

/** Uses a server without a credential. */
export async function withPublicServer<T>(options: ServerOption, work: (server: Server) => Promise<T>): Promise<T> {
  const url = serverUrl(options, await readConfig());
  return use(url, new VoidRunner({ baseUrl: url }), work);
}

/** Errors of the client become one line that says what to do. */
export async function use<T>(url: string, vr: VoidRunner, work: (server: Server) => Promise<T>): Promise<T> {
  try {
    return await work({ url, vr });
  } catch (error) {
    throw failureOf(error, url) ?? error;
  }
}
