import type { AuthResponse } from '../api-objects.js';
import { apiErrorOf } from '../api-error.js';
import { never, unlessAborted } from '../delay.js';
import { InvalidResponseError } from '../errors.js';
import type { Send } from './once.js';

export interface SessionTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

export interface Session extends SessionTokens {
  /** Gets the new tokens after each refresh, before they are used: a refresh token is valid once. */
  readonly onRefresh?: (tokens: SessionTokens) => void | Promise<void>;
}

const AUTHORIZATION = 'authorization';
const API_KEY = 'x-api-key';

/** The API key, or the tokens of a session. The tokens are refreshed when the access token has expired. */
export class Credentials {
  #apiKey: string | null;
  #session: Session | null;
  #refreshing: Promise<void> | null = null;

  constructor(apiKey: string | null, session: Session | null) {
    this.#apiKey = apiKey;
    this.#session = session;
  }

  /** The tokens in use; null without a session. */
  get tokens(): SessionTokens | null {
    if (this.#session === null) return null;
    const { accessToken, refreshToken } = this.#session;
    return { accessToken, refreshToken };
  }

  /** From now on requests use this session; null: no credential. */
  use(tokens: SessionTokens | null): void {
    this.#apiKey = null;
    this.#session = tokens && { ...(this.#session?.onRefresh && { onRefresh: this.#session.onRefresh }), ...tokens };
  }

  /** Adds the credential, unless the caller chose another one; after a 401, refreshes the session and sends again. */
  wrap(send: Send, refreshBy: Send, refreshUrl: string): Send {
    return async (request) => {
      const { headers } = request;
      const token = this.#apiKey ?? this.#session?.accessToken;
      if (token === undefined || headers.has(AUTHORIZATION) || headers.has(API_KEY)) return send(request);
      const again = this.#session && request.clone();
      headers.set(AUTHORIZATION, `Bearer ${token}`);
      const response = await send(request);
      if (again === null || response.status !== 401) return response;
      await unlessAborted(this.#refreshed(token, refreshBy, refreshUrl), again.signal);
      again.headers.set(AUTHORIZATION, `Bearer ${this.#session?.accessToken ?? token}`);
      return send(again);
    };
  }

  /** New tokens, although the old ones may be good. @throws TypeError without a session */
  async refresh(send: Send, url: string, signal = never()): Promise<SessionTokens> {
    const before = this.#session;
    if (before === null) throw new TypeError('There is no session to refresh');
    await unlessAborted(this.#refreshed(before.accessToken, send, url), signal);
    return this.tokens ?? before;
  }

  /** Requests that fail together share one refresh. @param staleToken nothing happens if it is not in use any more */
  async #refreshed(staleToken: string, send: Send, url: string): Promise<void> {
    if (this.#session === null || this.#session.accessToken !== staleToken) return;
    this.#refreshing ??= this.#refresh(this.#session, send, url).finally(() => (this.#refreshing = null));
    await this.#refreshing;
  }

  async #refresh(session: Session, send: Send, url: string): Promise<void> {
    const response = await send(
      new Request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refresh_token: session.refreshToken }),
      }),
    );
    const body = await jsonOf(response);
    if (!response.ok) throw apiErrorOf(response, body);
    const { access_token, refresh_token } = (body ?? {}) as Partial<AuthResponse>;
    if (!access_token || !refresh_token) throw new InvalidResponseError('The response to a refresh has no tokens');
    const tokens = { accessToken: access_token, refreshToken: refresh_token };
    // Not if the caller logged in or out meanwhile.
    if (this.#session === session) this.#session = { ...session, ...tokens };
    await session.onRefresh?.(tokens);
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
