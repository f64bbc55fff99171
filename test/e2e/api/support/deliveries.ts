import { RecordAttempt } from '../../../../src/webhooks/domain/delivery-commands.js';
import type { Api, Person } from './api.js';

const metadata = { actor: 'system:test', correlation_id: 'test' } as const;

/** @returns the id of a delivery that waits: no webhook is sent by these tests */
export async function pendingDelivery(who: Person, webhookId: string): Promise<string> {
  return (await who.ok<{ id: string }>('POST', `/webhooks/${webhookId}/test`)).id;
}

/** @returns the id of a delivery that has ended */
export async function endedDelivery(api: Api, who: Person, webhookId: string): Promise<string> {
  const id = await pendingDelivery(who, webhookId);
  await endDelivery(api, id);
  return id;
}

export async function endDelivery(api: Api, id: string): Promise<void> {
  const outcome = { delivered: true, statusCode: 200, durationMs: 1 } as const;
  await api.service.processes[0]!.commands!.execute(new RecordAttempt(id, 1, outcome, metadata));
}

/** Below /api/v1: of a delivery that can be sent again. */
export async function redeliverPath(api: Api, who: Person): Promise<string> {
  const { id } = await who.ok<{ id: string }>('POST', '/webhooks', { url: 'https://example.com' });
  return `/webhooks/${id}/deliveries/${await endedDelivery(api, who, id)}/redeliver`;
}
