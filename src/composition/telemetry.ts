import { type Config, loadConfig } from '../config/load-config.js';

/**
 * Preloaded with `node --import`, so that http, pg, ioredis and pino are patched before anybody loads them. Without a
 * place to send spans to nothing is patched, and the SDK is not even loaded: 0.4 s of each start.
 */
const config = configOrNone();
const isTraced = config && (config.OTEL_EXPORTER_OTLP_ENDPOINT || config.OTEL_TRACES_FILE);
const sdk = isTraced ? (await import('./tracing.js')).startTracing(config) : undefined;

/** Sends what is still waiting. */
export async function stopTelemetry(): Promise<void> {
  await sdk?.shutdown().catch(() => undefined);
}

/** A faulty environment is main's to report, with every fault at once. */
function configOrNone(): Config | undefined {
  try {
    return loadConfig();
  } catch {
    return undefined;
  }
}
