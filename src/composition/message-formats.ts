import type { INestApplicationContext } from '@nestjs/common';

import { CallbackBody } from '../facades/judge0/callback-body.js';
import type { EndpointFormat } from '../webhook-endpoints/endpoint.js';
import { CloudEventFormat } from '../webhooks/delivery/cloud-event-format.js';
import { deliveredExecution } from '../webhooks/delivery/delivered-execution.js';
import type { MessageFormat } from '../webhooks/delivery/message-format.js';
import type { Infrastructure } from './infrastructure.js';

/** What webhooks send. All processes know all formats: another one may have accepted the webhook. */
export function messageFormats(
  { store, payloads }: Pick<Infrastructure, 'store' | 'payloads'>,
  context: INestApplicationContext,
): Readonly<Record<EndpointFormat, MessageFormat>> {
  const callbacks = context.get(CallbackBody);
  return {
    cloud_event: new CloudEventFormat(store, payloads),
    judge0: {
      method: 'PUT',
      mediaType: 'application/json',
      bodyOf: async (delivery) => callbacks.of(await deliveredExecution(store, delivery)),
    },
  };
}
