import proxyAddr from '@fastify/proxy-addr';

import type { Config } from '../config/load-config.js';
import type { UrlRules } from '../webhook-endpoints/webhook-url.js';

/** Where webhooks may be sent, by the operator's settings. */
export function urlRulesOf({ SERVER_ENV, WEBHOOK_ALLOWED_NETWORKS }: Config): UrlRules {
  const isAllowed = proxyAddr.compile([...WEBHOOK_ALLOWED_NETWORKS]);
  return { allowHttp: SERVER_ENV !== 'production', isAllowedAddress: (address) => isAllowed(address, 0) };
}
