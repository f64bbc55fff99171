import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { API_BASE, apiPath } from '../../http/api-path.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { documentedHeaders } from '../../http/docs/documented-headers.js';
import { message } from '../../http/docs/message-schema.js';
import { type Exchange, HttpExchange } from '../../http/http-commands.js';
import { Caller, type CallerContext, metadataOf } from '../../http/request-context.js';
import type { Scope } from '../../http/scopes.js';
import { uuidParam } from '../../http/validation/params.js';
import { ApiKeys } from '../app/api-keys.js';
import type { ApiKey } from '../store/entities.js';
import {
  createdKeyView,
  type CreatedKeyView,
  createKeyBody,
  type CreateKeyBody,
  keyListView,
  keyView,
  type KeyView,
} from './key-schemas.js';

const keyId = uuidParam('Invalid API key ID format');

/** Without `@ForKeys`: a key never manages keys. */
@ApiTags('keys')
@ApiBearerAuth()
@ApiProblems(400, 401, 403, 429, 503)
@Controller(apiPath('keys'))
export class KeyController {
  constructor(private readonly keys: ApiKeys) {}

  @Post()
  @ApiOperation({
    summary: 'Create an API key',
    description:
      'For programs: it needs no login. Send it as `Authorization: Bearer vr_…` or as `X-API-Key: vr_…`. It is shown ' +
      'only in this response.',
    operationId: 'createKey',
  })
  @ApiCreatedResponse({
    standardSchema: createdKeyView,
    description: 'Key created',
    headers: documentedHeaders('Location'),
  })
  @ApiProblems(409, 413, 415)
  async create(
    @Body({ schema: createKeyBody }) { name, scopes, expires_at }: CreateKeyBody,
    @Caller() caller: CallerContext,
    @HttpExchange() { reply }: Exchange,
  ): Promise<CreatedKeyView> {
    const expiresAt = expires_at === null ? null : new Date(expires_at);
    const { text, key } = await this.keys.create(caller.userId, { name, scopes, expiresAt }, metadataOf(caller));
    void reply.header('location', `/${API_BASE}/keys/${key.id}`);
    return { ...fieldsOf(key), key: text };
  }

  @Get()
  @ApiOperation({
    summary: 'List your API keys',
    description: 'Those that are not revoked, newest first; also those that have expired. Never the keys themselves.',
    operationId: 'listKeys',
  })
  @ApiOkResponse({ standardSchema: keyListView, description: 'All of your keys' })
  async list(@Caller() { userId }: CallerContext): Promise<{ keys: KeyView[] }> {
    return { keys: (await this.keys.list(userId)).map(viewOf) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get an API key', description: 'Never the key itself.', operationId: 'getKey' })
  @ApiOkResponse({ standardSchema: keyView, description: 'The key as it is now' })
  @ApiProblems(404)
  async get(@Param('id', keyId) id: string, @Caller() caller: CallerContext): Promise<KeyView> {
    return viewOf(await this.keys.get(id, caller));
  }

  @Delete(':id')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Revoke an API key',
    description: 'It is refused everywhere within a second. It cannot be restored.',
    operationId: 'revokeKey',
  })
  @ApiOkResponse({ standardSchema: message, description: 'Key revoked' })
  @ApiProblems(404)
  async revoke(@Param('id', keyId) id: string, @Caller() caller: CallerContext): Promise<{ message: string }> {
    await this.keys.revoke(id, caller, metadataOf(caller));
    return { message: 'API key revoked successfully' };
  }
}

const fieldsOf = ({ id, name, prefix, scopes, createdAt, expiresAt }: ApiKey) => ({
  id,
  name,
  prefix,
  scopes: scopes as Scope[],
  created_at: createdAt.toISOString(),
  expires_at: expiresAt?.toISOString() ?? null,
});

const viewOf = (key: ApiKey): KeyView => ({
  ...fieldsOf(key),
  last_used_at: key.lastUsedAt?.toISOString() ?? null,
});
