import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { API_BASE, apiPath } from '../../http/api-path.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { documentedHeaders } from '../../http/docs/documented-headers.js';
import { message } from '../../http/docs/message-schema.js';
import { type Exchange, HttpCommands, HttpExchange } from '../../http/http-commands.js';
import { Idempotent } from '../../http/idempotency/idempotency-key.js';
import { IdempotentRequests } from '../../http/idempotency/idempotent-requests.js';
import { BY_OFFSET_OR_CURSOR, listResponse } from '../../http/listing/list-query.js';
import { Caller, type CallerContext, metadataOf } from '../../http/request-context.js';
import { ForKeys } from '../../http/scopes.js';
import { uuidParam } from '../../http/validation/params.js';
import { DomainError } from '../../kernel/errors.js';
import { newId } from '../../kernel/uuid.js';
import { CreateWebhook, DeleteWebhook, RotateWebhookSecret, UpdateWebhook } from '../domain/webhook-commands.js';
import { webhookNotFound } from '../domain/webhook-decider.js';
import { type Endpoint, newEndpoint, PREVIOUS_SECRET_MS, withNewSecret } from '../../webhook-endpoints/endpoint.js';
import { EndpointSeals } from '../../webhook-endpoints/endpoint-seals.js';
import type { WebhookRow } from '../queries/webhook-projection.js';
import { CountWebhooks, GetWebhook, GetWebhookFromLog, ListWebhooks } from '../queries/webhook-queries.js';
import { CheckedUrls } from '../../webhook-endpoints/checked-urls.js';
import { WebhookLimits } from './webhook-limits.js';
import {
  createWebhookBody,
  type CreateWebhookBody,
  listWebhooksQuery,
  type ListWebhooksQuery,
  updateWebhookBody,
  type UpdateWebhookBody,
  webhookList,
  webhookView,
  type WebhookView,
  webhookWithSecretView,
} from './webhook-schemas.js';

const webhookId = uuidParam('Invalid webhook ID format');
const PREVIOUS_SECRET_HOURS = PREVIOUS_SECRET_MS / 3_600_000;

@ApiTags('webhooks')
@ApiBearerAuth()
@ApiProblems(400, 401, 429, 503)
@Controller(apiPath('webhooks'))
export class WebhookController {
  constructor(
    private readonly commands: HttpCommands,
    private readonly queries: QueryBus,
    private readonly requests: IdempotentRequests,
    private readonly endpoints: EndpointSeals,
    private readonly urls: CheckedUrls,
    private readonly limits: WebhookLimits,
  ) {}

  @Post()
  @ForKeys('webhooks:write')
  @Idempotent()
  @ApiOperation({
    summary: 'Create a webhook',
    description:
      'What happens to your executions is sent to its URL, as CloudEvents signed by Standard Webhooks. 422 names the ' +
      'rule that the URL breaks.',
    operationId: 'createWebhook',
  })
  @ApiCreatedResponse({
    standardSchema: webhookWithSecretView,
    description: 'Webhook created',
    headers: documentedHeaders('Location'),
  })
  @ApiProblems(409, 413, 415, 422)
  async create(
    @Body({ schema: createWebhookBody }) { url, description, events, include_output }: CreateWebhookBody,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const { id, version } = await this.requests.run(exchange, caller.userId, async (mark) => {
      await this.urls.check(url);
      await this.requireRoom(caller.userId);
      const created = newId();
      const endpoint = await this.endpoints.seal(caller.userId, { webhookId: created }, newEndpoint(url, description));
      const metadata = { ...metadataOf(caller, created), ...mark };
      const command = new CreateWebhook(created, caller.userId, { endpoint, events, include_output }, metadata);
      await this.commands.execute(command, exchange);
      return created;
    });
    void exchange.reply.header('location', `/${API_BASE}/webhooks/${id}`);
    return this.withSecret(await this.queries.execute(new GetWebhookFromLog(id, version)));
  }

  @Get()
  @ForKeys('webhooks:write')
  @ApiOperation({ summary: 'List your webhooks', description: BY_OFFSET_OR_CURSOR, operationId: 'listWebhooks' })
  @ApiOkResponse({ standardSchema: webhookList, description: 'A page of webhooks, by offset or by cursor' })
  async list(@Query({ schema: listWebhooksQuery }) query: ListWebhooksQuery, @Caller() caller: CallerContext) {
    const page = await this.queries.execute(new ListWebhooks(caller.userId, query));
    const views = await Promise.all(page.page.rows.map((row) => this.view(row)));
    return listResponse('webhooks', page, views, query);
  }

  @Get(':id')
  @ForKeys('webhooks:write')
  @ApiOperation({ summary: 'Get a webhook', description: 'Without its secret.', operationId: 'getWebhook' })
  @ApiOkResponse({ standardSchema: webhookView, description: 'The webhook as it is now' })
  @ApiProblems(403, 404)
  async get(@Param('id', webhookId) id: string, @Caller() caller: CallerContext): Promise<WebhookView> {
    return this.view(await this.queries.execute(new GetWebhook(id, caller)));
  }

  @Put(':id')
  @ForKeys('webhooks:write')
  @ApiOperation({
    summary: 'Update a webhook',
    description:
      'Changes only the fields in the request. What waits for a webhook that is disabled is abandoned; a delivery can ' +
      'be requested again. A 409 `webhook_changed` may be repeated.',
    operationId: 'updateWebhook',
  })
  @ApiOkResponse({ standardSchema: webhookView, description: 'Webhook updated' })
  @ApiProblems(403, 404, 409, 413, 415, 422)
  async update(
    @Param('id', webhookId) id: string,
    @Body({ schema: updateWebhookBody }) { url, description, ...changes }: UpdateWebhookBody,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ): Promise<WebhookView> {
    const row = await this.queries.execute(new GetWebhook(id, caller));
    if (url !== undefined) await this.urls.check(url);
    const endpoint = await this.changedEndpoint(row, { url, description });
    const definition = { ...changes, ...(endpoint !== null && { endpoint }) };
    await this.commands.execute(
      new UpdateWebhook(id, caller, definition, row.version, metadataOf(caller, id)),
      exchange,
    );
    return this.view(await this.queries.execute(new GetWebhookFromLog(id)));
  }

  @Delete(':id')
  @ForKeys('webhooks:write')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Delete a webhook',
    description: 'Nothing more is sent. What waits for it is abandoned.',
    operationId: 'deleteWebhook',
  })
  @ApiOkResponse({ standardSchema: message, description: 'Webhook deleted' })
  @ApiProblems(403, 404)
  async delete(
    @Param('id', webhookId) id: string,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    await this.commands.execute(new DeleteWebhook(id, caller, metadataOf(caller, id)), exchange);
    return { message: 'Webhook deleted successfully' };
  }

  @Post(':id/rotate-secret')
  @ForKeys('webhooks:write')
  @HttpCode(200)
  @Idempotent()
  @ApiOperation({
    summary: 'Replace the secret of a webhook',
    description: `For ${PREVIOUS_SECRET_HOURS} hours, both secrets sign: a receiver accepts either signature.`,
    operationId: 'rotateWebhookSecret',
  })
  @ApiOkResponse({ standardSchema: webhookWithSecretView, description: 'Secret replaced' })
  @ApiProblems(403, 404, 409, 413, 415, 422)
  async rotate(
    @Param('id', webhookId) id: string,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const { version } = await this.requests.run(exchange, caller.userId, async (mark) => {
      const row = await this.queries.execute(new GetWebhook(id, caller));
      const rotated = withNewSecret(await this.endpointOf(row), new Date());
      const endpoint = await this.endpoints.seal(row.owner_id, { webhookId: id }, rotated);
      const metadata = { ...metadataOf(caller, id), ...mark };
      await this.commands.execute(new RotateWebhookSecret(id, caller, endpoint, row.version, metadata), exchange);
      return id;
    });
    return this.withSecret(await this.queries.execute(new GetWebhookFromLog(id, version)));
  }

  /** @throws DomainError `too_many_webhooks` */
  private async requireRoom(userId: string): Promise<void> {
    const { perUserMax } = this.limits;
    if ((await this.queries.execute(new CountWebhooks(userId))) < perUserMax) return;
    throw new DomainError('too_many_webhooks', `You have ${perUserMax} webhooks: delete one first`, 'conflict');
  }

  /** @returns null if it is as it was */
  private async changedEndpoint(row: WebhookRow, changes: Pick<UpdateWebhookBody, 'url' | 'description'>) {
    const endpoint = await this.endpointOf(row);
    const { url = endpoint.url, description = endpoint.description } = changes;
    if (url === endpoint.url && description === endpoint.description) return null;
    return this.endpoints.seal(row.owner_id, { webhookId: row.id }, { ...endpoint, url, description });
  }

  /** @throws DomainError `webhook_not_found` if the data of its owner has been erased */
  private async endpointOf({ id, owner_id, endpoint }: WebhookRow): Promise<Endpoint> {
    const opened = await this.endpoints.open(owner_id, { webhookId: id }, endpoint);
    if (!opened) throw webhookNotFound();
    return opened;
  }

  private async view(row: WebhookRow): Promise<WebhookView> {
    return viewOf(row, await this.endpointOf(row));
  }

  private async withSecret(row: WebhookRow) {
    const endpoint = await this.endpointOf(row);
    return { ...viewOf(row, endpoint), secret: endpoint.secret! };
  }
}

const viewOf = (row: WebhookRow, { url, description }: Endpoint): WebhookView => ({
  id: row.id,
  url,
  description,
  events: [...row.events],
  include_output: row.include_output,
  status: row.status,
  disabled_reason: row.disabled_reason,
  created_at: new Date(row.created_at).toISOString(),
  updated_at: new Date(row.updated_at).toISOString(),
});
