import { Injectable } from '@nestjs/common';

import { CheckedUrls } from '../../webhook-endpoints/checked-urls.js';
import type { EndpointFormat } from '../../webhook-endpoints/endpoint.js';
import { EndpointSeals } from '../../webhook-endpoints/endpoint-seals.js';
import type { ExecutionWebhook } from '../domain/execution-events.js';
import type { ExecutionWebhookBody } from './webhook-schema.js';

/** Webhooks of single executions. */
@Injectable()
export class SubmittedWebhooks {
  constructor(
    private readonly urls: CheckedUrls,
    private readonly seals: EndpointSeals,
  ) {}

  /** @throws HttpProblem 422 `webhook_url_refused` */
  async check(webhook: ExecutionWebhookBody | undefined): Promise<void> {
    if (webhook) await this.urls.check(webhook.url);
  }

  /** @param userId who sends the request. @throws DomainError `owner_erased`; Unavailable */
  async seal(
    userId: string,
    executionId: string,
    webhook: ExecutionWebhookBody | undefined,
    format: EndpointFormat = 'cloud_event',
  ): Promise<ExecutionWebhook | null> {
    if (!webhook) return null;
    const { url, events, include_output, secret = null } = webhook;
    const plain = { url, format, description: '', secret, previous: null };
    const endpoint = await this.seals.seal(userId, { executionId }, plain);
    return { owner_id: userId, endpoint, events, include_output };
  }
}
