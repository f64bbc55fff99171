import { once } from 'node:events';

import { Command } from 'commander';

import { type Config, loadConfig } from '../config/load-config.js';
import { silentLog } from '../platform/telemetry/log.js';
import { print } from './output.js';
import { wholeNumberBetween } from './whole-number.js';

const DOCS_PORT_DEFAULT = 8081;

export const docsCommand = (): Command =>
  new Command('docs')
    .option('--port <port>', 'port to listen on', wholeNumberBetween(1, 65_535), DOCS_PORT_DEFAULT)
    .option('--asyncapi', 'print the AsyncAPI document of the events stream instead')
    .action(async ({ port, asyncapi }: { port: number; asyncapi?: true }) => {
      if (asyncapi) return await printAsyncApi();
      const config: Config = { ...loadConfig(), VOIDRUNNER_ROLES: ['api'], SERVER_PORT: port, METRICS_PORT: 0 };
      // Loaded here, because it loads the whole service, which help does not need.
      const { startService } = await import('../composition/service.js');
      const service = await startService(config, silentLog);
      print(`${service.url}/docs`);
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
      await service.stop();
    });

async function printAsyncApi(): Promise<void> {
  const { createAsyncApiDocument } = await import('../http/docs/asyncapi-document.js');
  const { eventDocs } = await import('../composition/event-docs.js');
  print(JSON.stringify(createAsyncApiDocument(eventDocs(loadConfig().NATS_STREAM_PREFIX)), null, 2));
}
