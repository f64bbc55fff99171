import { Body, Controller, Delete, Get, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import type { EventMetadata } from '../../event-sourcing/core/event.js';
import { apiPath } from '../../http/api-path.js';
import { Public } from '../../http/auth-guard.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { byAddress, RateLimited } from '../../http/rate-limit/rate-limit-guard.js';
import {
  Caller,
  type CallerContext,
  callerOf,
  metadataOf,
  RequestId,
  SessionCaller,
  type SessionIdentity,
} from '../../http/request-context.js';
import { AccountErasure } from '../app/account-erasure.js';
import { Accounts, type Grant, type MetadataFor } from '../app/accounts.js';
import { emailKey } from '../domain/email.js';
import {
  type AuthResponse,
  authResponse,
  type ChangePasswordBody,
  changePasswordBody,
  type EraseAccountBody,
  eraseAccountBody,
  EMAIL_CHARS_MAX,
  type LoginBody,
  loginBody,
  type LogoutBody,
  logoutBody,
  accountResponse,
  messageResponse,
  type RefreshBody,
  refreshBody,
  type RegisterBody,
  registerBody,
  type UserShape,
} from './auth-schemas.js';

/** Limits are counted before the body is validated. */
function byAccount(request: FastifyRequest): string | undefined {
  const email = (request.body as { email?: unknown } | null | undefined)?.email;
  return typeof email === 'string' && email.length <= EMAIL_CHARS_MAX ? emailKey(email) : undefined;
}

/** Guesses from other addresses do not lock out the owner. */
function byAccountAndAddress(request: FastifyRequest): string | undefined {
  const account = byAccount(request);
  return account && `${account} ${byAddress(request)}`;
}

/** Counts guesses at the current password like login attempts. */
const byCaller = (request: FastifyRequest): string | undefined => callerOf(request)?.userId;

@ApiTags('auth')
@Controller(apiPath('auth'))
export class AuthController {
  constructor(
    private readonly accounts: Accounts,
    private readonly erasure: AccountErasure,
  ) {}

  @Post('register')
  @Public()
  @RateLimited({ category: 'register_address', keyOf: byAddress })
  @ApiOperation({
    summary: 'Register an account',
    description: 'Creates the account and logs it in. Emails are case-insensitive.',
    operationId: 'register',
  })
  @ApiCreatedResponse({ standardSchema: authResponse, description: 'Registered and logged in' })
  @ApiProblems(400, 409, 413, 415, 429, 503)
  async register(@Body({ schema: registerBody }) body: RegisterBody, @RequestId() id: string): Promise<AuthResponse> {
    return authResponseOf(await this.accounts.register(body, metadataFor(id)));
  }

  @Post('login')
  @Public()
  @HttpCode(200)
  @RateLimited(
    { category: 'login_address', keyOf: byAddress },
    { category: 'login_account', keyOf: byAccountAndAddress, needsBody: true },
    { category: 'login_everywhere', keyOf: byAccount, needsBody: true, delays: true },
  )
  @ApiOperation({
    summary: 'Log in',
    description: 'Opens a new session. Other sessions of the account stay open.',
    operationId: 'login',
  })
  @ApiOkResponse({ standardSchema: authResponse, description: 'Logged in' })
  @ApiProblems(400, 401, 413, 415, 429, 503)
  async login(@Body({ schema: loginBody }) body: LoginBody, @RequestId() id: string): Promise<AuthResponse> {
    return authResponseOf(await this.accounts.login(body, metadataFor(id)));
  }

  @Post('refresh')
  @Public()
  @HttpCode(200)
  @RateLimited({ category: 'refresh_address', keyOf: byAddress })
  @ApiOperation({
    summary: 'Exchange a refresh token for new tokens',
    description:
      'Use each refresh token once. The last one used may be sent again within 10 seconds (the operator can change ' +
      'this), from another tab or after a lost response: it returns the same new refresh token. Any other reuse ends ' +
      'the session and revokes all its tokens.',
    operationId: 'refresh',
  })
  @ApiOkResponse({ standardSchema: authResponse, description: 'New tokens for the same session' })
  @ApiProblems(400, 401, 413, 415, 429, 503)
  async refresh(@Body({ schema: refreshBody }) body: RefreshBody, @RequestId() id: string): Promise<AuthResponse> {
    return authResponseOf(await this.accounts.refresh(body.refresh_token, metadataFor(id)));
  }

  @Post('logout')
  @HttpCode(200)
  @ApiBearerAuth()
  @ApiOperation({
    summary: 'Log out',
    description:
      'Ends this session and revokes its tokens. With `all`, ends every session of the account within a second.',
    operationId: 'logout',
  })
  @ApiOkResponse({ standardSchema: messageResponse, description: 'Logged out' })
  @ApiProblems(400, 401, 413, 415, 429, 503)
  async logout(
    @Body({ schema: logoutBody }) { all }: LogoutBody,
    @SessionCaller() caller: CallerContext & SessionIdentity,
  ): Promise<{ message: string }> {
    if (all) await this.accounts.logoutEverywhere(caller, metadataOf(caller));
    else await this.accounts.logout(caller, metadataOf(caller));
    return { message: 'Logged out successfully' };
  }

  @Post('password')
  @HttpCode(200)
  @RateLimited({ category: 'login_address', keyOf: byAddress }, { category: 'login_account', keyOf: byCaller })
  @ApiBearerAuth()
  @ApiOperation({
    summary: 'Change the password',
    description:
      'Ends every other session of the account within a second. This session stays open. A wrong current password ' +
      'returns 403. The rate limits of logins apply.',
    operationId: 'changePassword',
  })
  @ApiOkResponse({ standardSchema: messageResponse, description: 'Password changed' })
  @ApiProblems(400, 401, 403, 413, 415, 429, 503)
  async changePassword(
    @Body({ schema: changePasswordBody }) { current_password, new_password }: ChangePasswordBody,
    @SessionCaller() caller: CallerContext & SessionIdentity,
  ): Promise<{ message: string }> {
    const passwords = { current: current_password, next: new_password };
    await this.accounts.changePassword(caller, passwords, metadataOf(caller));
    return { message: 'Password changed successfully' };
  }

  @Get('me')
  @ApiBearerAuth()
  @ApiOperation({
    summary: 'Get your account',
    description: 'Returns the account that the access token belongs to.',
    operationId: 'me',
  })
  @ApiOkResponse({ standardSchema: accountResponse, description: 'Your account' })
  @ApiProblems(401, 429, 503)
  async me(@Caller() caller: CallerContext): Promise<{ user: UserShape }> {
    return { user: userShapeOf(await this.accounts.me(caller.userId)) };
  }

  @Delete('me')
  @HttpCode(200)
  @RateLimited({ category: 'login_address', keyOf: byAddress }, { category: 'login_account', keyOf: byCaller })
  @ApiBearerAuth()
  @ApiOperation({
    summary: 'Erase your account',
    description:
      'Permanent. Erases email, name and password, ends every session and API key within a second, and destroys the ' +
      'key of everything that you stored. Within seconds, executions and batches are cancelled, webhooks are deleted, ' +
      'and the stored bytes are destroyed. A wrong password returns 403. The rate limits of logins apply. After a lost ' +
      'response, a repeated request returns 401: the account does not exist any more.',
    operationId: 'eraseAccount',
  })
  @ApiOkResponse({ standardSchema: messageResponse, description: 'Account erased' })
  @ApiProblems(400, 401, 403, 413, 415, 429, 503)
  async eraseAccount(
    @Body({ schema: eraseAccountBody }) { password }: EraseAccountBody,
    @SessionCaller() caller: CallerContext & SessionIdentity,
  ): Promise<{ message: string }> {
    await this.erasure.eraseOwn(caller, password, metadataOf(caller));
    return { message: 'Account erased successfully' };
  }
}

/** Before a login succeeds, the acting user is unknown. */
const metadataFor =
  (requestId: string): MetadataFor =>
  (userId): EventMetadata => {
    const metadata = metadataOf({ userId: userId ?? '', requestId, key: null });
    return userId === null ? { ...metadata, actor: 'system:identity' } : metadata;
  };

const userShapeOf = (user: Grant['user']): UserShape => ({
  id: user.id,
  email: user.email,
  name: user.name,
  created_at: user.createdAt.toISOString(),
  updated_at: user.updatedAt.toISOString(),
});

const authResponseOf = (grant: Grant): AuthResponse => ({
  access_token: grant.accessToken,
  refresh_token: grant.refreshToken,
  token_type: 'Bearer',
  expires_in: Math.floor(grant.accessTokenMs / 1_000),
  user: userShapeOf(grant.user),
});
