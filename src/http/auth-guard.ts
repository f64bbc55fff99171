import type { FastifyRequest } from 'fastify';

import { DomainError } from '../kernel/errors.js';
import { clientAddress } from './client-address.js';
import { dialectOf } from './dialect.js';
import { BEARER_CHALLENGE, HttpProblem } from './problem.js';
import { type CallerIdentity, type CallerKey, identify } from './request-context.js';
import { routeConfig } from './route-options.js';
import type { Scope } from './scopes.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    public?: boolean;
  }
}

/** The port that resolves a credential to its user. Identity implements it. */
export abstract class Credentials {
  /**
   * @param credential an access token or an API key
   * @param address of the client
   * @throws DomainError of kind `unauthorized` for one that is malformed, unknown, expired, revoked, or a refresh token
   * @throws Unavailable if the revocations cannot be read
   */
  abstract verify(credential: string, address: string): Promise<CallerIdentity>;

  /** Whether the text is meant as an API key, valid or not: it must not be where it could be logged. */
  abstract looksLikeKey(text: string): boolean;
}

/** The route requires no credential. All other routes require one. */
export const Public = () => routeConfig({ public: true });

/** RFC 6750, section 2.1; the scheme is case-insensitive (RFC 9110, section 11.1). */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const KEY_HEADER = 'x-api-key';

export class AuthGuard {
  constructor(private readonly credentials: Credentials) {}

  /**
   * @throws HttpProblem 401 if the route is not public and the caller is not authenticated, 403 if it takes no API key
   *   or the key lacks its scope, 400 for two different credentials, or for a key in the query
   */
  async check(request: FastifyRequest): Promise<void> {
    this.refuseKeysInQuery(request);
    const { config } = request.routeOptions;
    if (config.public === true) return;
    const identity = await this.verify(credentialOf(request), clientAddress(request.ip));
    if (identity.key) requireScope(identity.key, config.scope);
    identify(request, identity);
  }

  private async verify(credential: string, address: string): Promise<CallerIdentity> {
    try {
      return await this.credentials.verify(credential, address);
    } catch (error) {
      // The client does not learn why it is refused.
      if (error instanceof DomainError && error.kind === 'unauthorized') throw invalidToken();
      throw error;
    }
  }

  /** A query stands in logs of proxies and in histories of browsers (RFC 6750, section 5.3). */
  private refuseKeysInQuery({ query }: FastifyRequest): void {
    const values = Object.values((query ?? {}) as Record<string, unknown>).flat();
    if (!values.some((value) => typeof value === 'string' && this.credentials.looksLikeKey(value))) return;
    throw new HttpProblem(
      400,
      'key_in_query',
      'An API key must not be in the URL, which is logged on its way. Send it in a header, and revoke this one',
    );
  }
}

function credentialOf(request: FastifyRequest): string {
  const { headers } = request;
  const dialect = dialectOf(request);
  if (dialect) return foreignCredentialOf(headers, dialect.keyHeaders);
  const { authorization, [KEY_HEADER]: key } = headers;
  if (!authorization && !key) throw missingToken();
  const token = BEARER.exec(authorization ?? '')?.[1];
  // RFC 6750, section 2, allows one method per request. But clients of @hey-api/openapi-ts send a credential in every
  // header that the document names.
  if (authorization && key && key !== token) throw twoCredentials();
  const credential = key || token;
  if (typeof credential !== 'string') throw invalidToken();
  return credential;
}

/** RFC 7617, and a token without a scheme, as clients of Piston send it. */
const BASIC = /^Basic +([A-Za-z0-9+/]+=*)$/i;
const BARE = /^[A-Za-z0-9\-._~+/]+=*$/;

/** The same key in several headers is one credential: a client may not know which of them is read. */
function foreignCredentialOf(headers: FastifyRequest['headers'], keyHeaders: readonly string[]): string {
  const { authorization } = headers;
  const sent = [KEY_HEADER, ...keyHeaders].map((name) => headers[name]).filter((value) => value !== undefined);
  const credentials = new Set([...sent, ...(authorization ? [authorizedBy(authorization)] : [])]);
  if (credentials.size === 0) throw missingToken();
  if (credentials.size > 1) throw twoCredentials();
  const [credential] = credentials;
  if (typeof credential !== 'string') throw invalidToken();
  return credential;
}

/** Of a user name with a password, the password, if any: some clients take a key only as a part of their URL. */
function authorizedBy(authorization: string): string {
  const basic = BASIC.exec(authorization)?.[1];
  if (basic !== undefined) {
    const [user = '', ...password] = Buffer.from(basic, 'base64').toString('utf8').split(':');
    return password.join(':') || user;
  }
  const credential = BEARER.exec(authorization)?.[1] ?? BARE.exec(authorization)?.[0];
  if (credential === undefined) throw invalidToken();
  return credential;
}

function requireScope({ scopes }: CallerKey, scope: Scope | undefined): void {
  if (scope === undefined) throw new HttpProblem(403, 'key_not_allowed', 'API keys cannot be used for this: log in');
  if (scopes.includes(scope)) return;
  // RFC 6750, section 3.1.
  throw new HttpProblem(403, 'missing_scope', `The API key lacks the scope ${scope}`, {
    details: { scope },
    headers: { 'www-authenticate': `${BEARER_CHALLENGE}, error="insufficient_scope", scope="${scope}"` },
  });
}

const missingToken = () => new HttpProblem(401, 'authorization_required', 'authorization header required');

const twoCredentials = () =>
  new HttpProblem(400, 'two_credentials', 'Authorization and X-API-Key differ: send only one of them');

const invalidToken = () =>
  new HttpProblem(401, 'invalid_token', 'Invalid or expired token', {
    headers: { 'www-authenticate': `${BEARER_CHALLENGE}, error="invalid_token"` },
  });
