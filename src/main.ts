import { startService } from './composition/service.js';
import { stopTelemetry } from './composition/telemetry.js';
import { InvalidConfig, loadConfig } from './config/load-config.js';
import { createLog } from './platform/telemetry/log.js';
import { InvalidRuntimes } from './runtimes/load-runtimes.js';

/** From sysexits.h: the configuration is invalid, so restarting does not help. */
const EX_CONFIG = 78;

async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLog({ level: config.LOG_LEVEL, service: config.OTEL_SERVICE_NAME });
  const service = await startService(config, log);
  const stop = async (signal: string): Promise<void> => {
    log.info({ signal }, 'signal');
    await service.stop();
    await stopTelemetry();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));
}

main().catch((error: unknown) => {
  const isConfig = error instanceof InvalidConfig || error instanceof InvalidRuntimes;
  process.stderr.write(`${isConfig ? error.message : (error as Error).stack}\n`);
  process.exit(isConfig ? EX_CONFIG : 1);
});
