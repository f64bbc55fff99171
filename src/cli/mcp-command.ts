import { once } from 'node:events';

import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import {
  AuthenticationError,
  ConnectionError,
  PermissionError,
  UnavailableError,
  VoidRunner,
} from '@voidrunner/client';
import { Command } from 'commander';

import { VERSION } from '../composition/version.js';
import { type McpSettings, loadMcpSettings } from '../config/mcp-settings.js';
import { Unavailable } from '../kernel/errors.js';
import { RETRIES_MAX, STDIO_MESSAGE_BYTES_MAX } from '../mcp/limits.js';
import { McpSession } from '../mcp/mcp-session.js';
import type { CallObservation } from '../mcp/tool-calls.js';
import { warn } from './output.js';

/** How long the first request may take: a host waits for the server to respond. */
const CHECK_MS_MAX = 5_000;

export const mcpCommand = (): Command =>
  new Command('mcp')
    .addHelpText(
      'after',
      '\nExamples:' +
        '\n  VOIDRUNNER_URL=https://run.example.com VOIDRUNNER_API_KEY=vr_… voidrunner mcp' +
        '\n\nEnvironment: VOIDRUNNER_URL (such as https://run.example.com), VOIDRUNNER_API_KEY.' +
        '\nExit codes: 0 standard input was closed, 2 a setting is missing or the service refuses the key, 64 usage error.',
    )
    .action(async () => {
      const settings = loadMcpSettings();
      await checkKey(settings);
      await serve(settings);
    });

/**
 * A service that is down is no reason to stop: tools say so, and it may be up by then.
 * @throws Unavailable if it refuses the key
 */
async function checkKey({ url, apiKey }: McpSettings): Promise<void> {
  const vr = new VoidRunner({ baseUrl: url, apiKey, maxRetries: 0, timeoutMs: CHECK_MS_MAX });
  try {
    await vr.executions.page({ limit: 1 });
  } catch (error) {
    if (error instanceof AuthenticationError) throw refused(error);
    if (error instanceof ConnectionError || error instanceof UnavailableError) warn(`voidrunner: ${error.message}`);
    // A key without the scope is a key.
    else if (!(error instanceof PermissionError)) throw noService(error);
  }
}

const refused = (cause: Error): Unavailable =>
  new Unavailable('voidrunner', 'VOIDRUNNER_API_KEY: the service refuses this key: it is wrong, expired or revoked', {
    cause,
  });

const noService = (cause: unknown): Unavailable =>
  new Unavailable('voidrunner', `VOIDRUNNER_URL: no VoidRunner responds there: ${(cause as Error).message}`, { cause });

/** Standard output has nothing but the protocol; messages for people are on standard error. */
async function serve({ url, apiKey }: McpSettings): Promise<void> {
  const vr = new VoidRunner({ baseUrl: url, apiKey, maxRetries: RETRIES_MAX });
  const session = new McpSession({ vr, version: VERSION, onCall: warnOfBug });
  await session.connect(
    new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: STDIO_MESSAGE_BYTES_MAX }),
  );
  await Promise.race([once(process.stdin, 'end'), once(process.stdin, 'close'), once(process, 'SIGTERM')]);
  await session.close();
}

function warnOfBug({ tool, bug }: CallObservation): void {
  if (bug !== undefined) warn(`voidrunner: ${tool ?? 'unknown tool'}: ${String((bug as Error).stack)}`);
}
