import { type Config, loadConfig } from '../config/load-config.js';
import { ignoreErrors } from '../platform/async/ignore-errors.js';

/**
 * Preloaded with `node --import`, so that http, pg, ioredis and pino are patched before they are loaded. Without a
 * destination for spans nothing is patched, and the SDK is not loaded, which saves 0.4 s of each start.
 */
const config = configOrNone();
const isTraced = config && (config.OTEL_EXPORTER_OTLP_ENDPOINT || config.OTEL_TRACES_FILE);
const sdk = isTraced ? (await import('./tracing.js')).startTracing(config) : undefined;

/** Sends the spans that are still queued. */
export async function stopTelemetry(): Promise<void> {
  if (sdk) await ignoreErrors(sdk.shutdown(), 'without a collector, the last spans are lost');
}

/** Undefined for an invalid environment: main reports all its faults at once. */
function configOrNone(): Config | undefined {
  try {
    return loadConfig();
  } catch {
    return undefined;
  }
}
