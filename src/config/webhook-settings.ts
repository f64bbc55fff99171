import { integer, networks } from './setting-types.js';

export const webhookSettings = {
  WEBHOOKS_PER_USER_MAX: integer(0, 10_000).default(20).describe('webhooks that one user may have'),
  WEBHOOK_BACKLOG_MAX: integer(1, 10_000_000)
    .default(50_000)
    .describe('deliveries that may wait for one webhook; beyond, it is disabled'),
  WEBHOOK_ALLOWED_NETWORKS: networks.describe(
    'comma-separated networks (10.0.0.0/8, fd00::/8) that webhooks may be sent to although they are not public',
  ),
};
