import { createHash, createSecretKey, type KeyObject } from 'node:crypto';

import type { JwtService } from '@nestjs/jwt';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';

import { DomainError } from '../../kernel/errors.js';

export interface TokenOptions {
  readonly secret: string;
  /** Tokens signed with these are valid too: the previous key, or the next one. */
  readonly acceptedSecrets?: readonly string[];
  readonly issuer: string;
  readonly audience: string;
  readonly accessTokenMs: number;
  readonly refreshTokenMs: number;
}

/** Access tokens with a verified signature; the least recently used are evicted. */
const VERIFIED_MAX = 10_000;

const claims = { sub: z.uuid(), sid: z.uuid() };
const accessClaims = z.object({ ...claims, typ: z.literal('access'), adm: z.boolean(), exp: z.int() });
const refreshClaims = z.object({ ...claims, typ: z.literal('refresh'), jti: z.uuid() });

export type AccessClaims = z.output<typeof accessClaims>;
export type RefreshClaims = z.output<typeof refreshClaims>;
type Payload = Omit<AccessClaims, 'exp'> | RefreshClaims;

const ALGORITHM = 'HS256';

export const invalidToken = (): DomainError =>
  new DomainError('invalid_token', 'Invalid or expired token', 'unauthorized');

const keyOf = (secret: string): KeyObject => createSecretKey(Buffer.from(secret, 'utf8'));

/** The stored form of a refresh token. The token is random enough for a plain hash. */
export const refreshHashOf = (refreshToken: string): Buffer => createHash('sha256').update(refreshToken).digest();

/** Signs and checks both kinds of token. Each names its session; `typ` prevents the use of one kind as the other. */
export class Tokens {
  private readonly key: KeyObject;
  private readonly accepted: readonly KeyObject[];
  /** A signature is checked once per token, which saves 20 µs per request. Expiry is checked on every request. */
  private readonly verified = new LRUCache<string, AccessClaims>({ max: VERIFIED_MAX });

  constructor(
    private readonly jwt: JwtService,
    private readonly options: TokenOptions,
  ) {
    this.key = keyOf(options.secret);
    this.accepted = [this.key, ...(options.acceptedSecrets ?? []).map(keyOf)];
  }

  get accessTokenMs(): number {
    return this.options.accessTokenMs;
  }

  get refreshTokenMs(): number {
    return this.options.refreshTokenMs;
  }

  signAccess(of: { userId: string; sessionId: string; isAdmin: boolean }): string {
    const payload: Payload = { sub: of.userId, sid: of.sessionId, typ: 'access', adm: of.isAdmin };
    return this.sign(payload, this.options.accessTokenMs);
  }

  /** The same arguments give the same token. @param id must differ, or two tokens of the same second are equal */
  signRefresh(of: { userId: string; sessionId: string }, id: string, now: number): string {
    const payload: Payload = { sub: of.userId, sid: of.sessionId, typ: 'refresh', jti: id };
    return this.sign({ ...payload, iat: Math.floor(now / 1_000) }, this.options.refreshTokenMs);
  }

  /** @throws DomainError `invalid_token` */
  readAccess(token: string): AccessClaims {
    const known = this.verified.get(token);
    if (known) {
      if (known.exp * 1_000 > Date.now()) return known;
      this.verified.delete(token);
    }
    const found = this.read(token, accessClaims);
    this.verified.set(token, found);
    return found;
  }

  /** @throws DomainError `invalid_token` */
  readRefresh(token: string): RefreshClaims {
    return this.read(token, refreshClaims);
  }

  private sign(payload: Payload & { iat?: number }, lifeMs: number): string {
    return this.jwt.sign(payload, {
      secret: this.key as never,
      algorithm: ALGORITHM,
      issuer: this.options.issuer,
      audience: this.options.audience,
      expiresIn: Math.ceil(lifeMs / 1_000),
    });
  }

  private read<Claims>(token: string, schema: z.ZodType<Claims>): Claims {
    for (const key of this.accepted) {
      try {
        const payload: object = this.jwt.verify(token, {
          secret: key as never,
          algorithms: [ALGORITHM],
          issuer: this.options.issuer,
          audience: this.options.audience,
        });
        return schema.parse(payload);
      } catch {
        // Another key may have signed it.
      }
    }
    throw invalidToken();
  }
}
