import type { AuthResponse, Message, User } from '../api-objects.js';
import type { components } from '../generated/api.js';
import type { Http } from '../http.js';
import type { CallOptions } from '../options.js';
import type { Credentials, SessionTokens } from '../transport/credentials.js';
import { signalOf, unwrap } from '../unwrap.js';

type Schemas = components['schemas'];

/** Sessions of people. After `register` and `login`, this client uses the new session, whatever it used before. */
export class Auth {
  readonly #credentials: Credentials;

  constructor(
    private readonly http: Http,
    credentials: Credentials,
    private readonly refreshSession: (signal?: AbortSignal) => Promise<SessionTokens>,
  ) {
    this.#credentials = credentials;
  }

  /** The tokens in use, to be stored; null without a session. */
  get tokens(): SessionTokens | null {
    return this.#credentials.tokens;
  }

  register(body: Schemas['RegisterRequest'], options: CallOptions = {}): Promise<AuthResponse> {
    return this.entered(unwrap(this.http.POST('/api/v1/auth/register', { body, ...signalOf(options) })));
  }

  login(body: Schemas['LoginRequest'], options: CallOptions = {}): Promise<AuthResponse> {
    return this.entered(unwrap(this.http.POST('/api/v1/auth/login', { body, ...signalOf(options) })));
  }

  /** Ends the session, or all sessions of the account. */
  async logout({ all, ...options }: CallOptions & { readonly all?: boolean } = {}): Promise<Message> {
    const body = all ? { body: { all } } : {};
    const message = await unwrap(this.http.POST('/api/v1/auth/logout', { ...body, ...signalOf(options) }));
    this.#credentials.use(null);
    return message;
  }

  /** Takes new tokens now. Not needed otherwise: expired ones are refreshed by themselves. */
  refresh({ signal }: CallOptions = {}): Promise<SessionTokens> {
    return this.refreshSession(signal);
  }

  async me(options: CallOptions = {}): Promise<User> {
    return (await unwrap(this.http.GET('/api/v1/auth/me', signalOf(options)))).user;
  }

  /** Erases the account permanently, and ends the session. @throws PermissionError for a wrong password */
  async eraseAccount(body: Schemas['EraseAccountRequest'], options: CallOptions = {}): Promise<Message> {
    const message = await unwrap(this.http.DELETE('/api/v1/auth/me', { body, ...signalOf(options) }));
    this.#credentials.use(null);
    return message;
  }

  private async entered(response: Promise<AuthResponse>): Promise<AuthResponse> {
    const entered = await response;
    this.#credentials.use({ accessToken: entered.access_token, refreshToken: entered.refresh_token });
    return entered;
  }
}
