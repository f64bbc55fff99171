import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiAcceptedResponse, ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { apiPath } from '../../http/api-path.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { type Exchange, HttpCommands, HttpExchange } from '../../http/http-commands.js';
import { Idempotent } from '../../http/idempotency/idempotency-key.js';
import { IdempotentRequests } from '../../http/idempotency/idempotent-requests.js';
import { BY_OFFSET_OR_CURSOR, listResponse } from '../../http/listing/list-query.js';
import { Caller, type CallerContext, metadataOf } from '../../http/request-context.js';
import { ForKeys } from '../../http/scopes.js';
import { uuidParam } from '../../http/validation/params.js';
import { newId } from '../../kernel/uuid.js';
import { TEST_EVENT } from '../domain/delivered-events.js';
import { Redeliver, RequestDelivery } from '../domain/delivery-commands.js';
import { deliveryIdOf } from '../domain/delivery-decider.js';
import { webhookDisabled } from '../domain/webhook-decider.js';
import { GetDelivery, ListDeliveries } from '../queries/delivery-queries.js';
import { GetWebhook } from '../queries/webhook-queries.js';
import {
  deliveryList,
  deliveryView,
  deliveryViewOf,
  listDeliveriesQuery,
  type ListDeliveriesQuery,
} from './delivery-schemas.js';

const webhookId = uuidParam('Invalid webhook ID format');
const deliveryId = uuidParam('Invalid delivery ID format');

/** What was sent, or is to be sent, to a webhook. */
@ApiTags('webhooks')
@ApiBearerAuth()
@ApiProblems(400, 401, 403, 404, 429, 503)
@Controller(apiPath('webhooks'))
export class DeliveryController {
  constructor(
    private readonly commands: HttpCommands,
    private readonly queries: QueryBus,
    private readonly requests: IdempotentRequests,
  ) {}

  @Post(':id/test')
  @ForKeys('webhooks:write')
  @HttpCode(202)
  @Idempotent()
  @ApiOperation({
    summary: 'Send a test event',
    description: 'Of the type `voidrunner.webhook.test`. 409 if the webhook is disabled.',
    operationId: 'testWebhook',
  })
  @ApiAcceptedResponse({ standardSchema: deliveryView, description: 'The delivery, which has just been requested' })
  @ApiProblems(409, 413, 415, 422)
  async test(@Param('id', webhookId) id: string, @Caller() caller: CallerContext, @HttpExchange() exchange: Exchange) {
    const { id: delivery, version } = await this.requests.run(exchange, caller.userId, async (mark) => {
      const webhook = await this.queries.execute(new GetWebhook(id, caller));
      if (webhook.status !== 'enabled') throw webhookDisabled();
      const eventId = newId();
      const requested = {
        delivery_id: deliveryIdOf(id, eventId),
        owner_id: webhook.owner_id,
        webhook_id: id,
        endpoint: null,
        include_output: false,
        event_id: eventId,
        event_type: TEST_EVENT,
        event_time: new Date().toISOString(),
        source_id: id,
        source_version: 0,
      } as const;
      await this.commands.execute(new RequestDelivery(requested, { ...metadataOf(caller, id), ...mark }), exchange);
      return requested.delivery_id;
    });
    return deliveryViewOf(await this.queries.execute(new GetDelivery(delivery, version ?? 1)));
  }

  @Get(':id/deliveries')
  @ForKeys('webhooks:write')
  @ApiOperation({
    summary: 'List the deliveries of a webhook',
    description: BY_OFFSET_OR_CURSOR,
    operationId: 'listWebhookDeliveries',
  })
  @ApiOkResponse({ standardSchema: deliveryList, description: 'A page of deliveries, by offset or by cursor' })
  async list(
    @Param('id', webhookId) id: string,
    @Query({ schema: listDeliveriesQuery }) query: ListDeliveriesQuery,
    @Caller() caller: CallerContext,
  ) {
    await this.queries.execute(new GetWebhook(id, caller));
    const page = await this.queries.execute(new ListDeliveries(id, query));
    return listResponse('deliveries', page, page.page.rows.map(deliveryViewOf), query);
  }

  @Post(':id/deliveries/:delivery/redeliver')
  @ForKeys('webhooks:write')
  @HttpCode(202)
  @Idempotent()
  @ApiOperation({
    summary: 'Send an event again',
    description:
      'With the same `webhook-id` and a new series of attempts. 409 if the delivery has not ended, or if the webhook ' +
      'is disabled.',
    operationId: 'redeliverWebhook',
  })
  @ApiAcceptedResponse({ standardSchema: deliveryView, description: 'The delivery, which waits again' })
  @ApiProblems(409, 413, 415, 422)
  async redeliver(
    @Param('id', webhookId) id: string,
    @Param('delivery', deliveryId) delivery: string,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const { version } = await this.requests.run(exchange, caller.userId, async (mark) => {
      const webhook = await this.queries.execute(new GetWebhook(id, caller));
      if (webhook.status !== 'enabled') throw webhookDisabled();
      const metadata = { ...metadataOf(caller, id), ...mark };
      await this.commands.execute(new Redeliver(delivery, id, caller, metadata), exchange);
      return delivery;
    });
    return deliveryViewOf(await this.queries.execute(new GetDelivery(delivery, version)));
  }
}
