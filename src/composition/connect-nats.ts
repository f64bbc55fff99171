import type { Config } from '../config/load-config.js';
import { NatsLink } from '../platform/nats/nats-link.js';
import type { Log } from '../platform/telemetry/log.js';

/** The link is not started yet. */
export const createNats = (config: Config, log: Log): NatsLink =>
  new NatsLink({
    url: config.NATS_URL,
    ...(config.NATS_USER !== '' && { user: config.NATS_USER, password: config.NATS_PASSWORD }),
    name: 'voidrunner',
    log,
  });
