import { SCOPES } from '../../../../src/http/scopes.js';
import type { Answer } from '../../../support/api-client.js';
import { Api, type Person } from '../../api/support/api.js';

/** A service with its façades on, an account and a key. */
export class FacadeService {
  private constructor(
    readonly api: Api,
    readonly ada: Person,
    readonly key: string,
    private readonly base: string,
  ) {}

  static async start(base: string, settings: NodeJS.ProcessEnv = {}): Promise<FacadeService> {
    const api = await Api.start({ FACADES: 'piston,judge0', ...settings });
    const ada = await api.register();
    return new FacadeService(api, ada, await keyOf(ada), base);
  }

  get url(): string {
    return `${this.api.service.url}${this.base}`;
  }

  /** @param body a string is sent unchanged */
  async send<Body = any>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = { authorization: `Bearer ${this.key}` },
  ): Promise<Answer<Body>> {
    const content = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(`${this.url}${path}`, { method, headers: { ...type, ...headers }, ...content });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as Body };
  }

  close(): Promise<void> {
    return this.api.close();
  }
}

export async function keyOf(person: Person, scopes: readonly string[] = SCOPES): Promise<string> {
  return (await person.ok('POST', '/keys', { name: 'facade', scopes })).key as string;
}
