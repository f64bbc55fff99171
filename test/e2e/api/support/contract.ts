import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { Middleware } from 'openapi-fetch';

import { type Answer, answerOf } from '../../../support/api-client.js';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema?: Schema }[];
  readonly requestBody?: { required?: boolean; content: Content };
  readonly responses: Record<string, Response>;
}

interface Response {
  readonly description: string;
  readonly content?: Content;
  readonly headers?: Record<string, { readonly $ref: string }>;
}

/** Whether nobody may call it without an access token. */
export const asksForToken = ({ security = [] }: Operation): boolean => security.length > 0;

/** As far as tests look into one. */
interface Schema {
  readonly $ref?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly example?: unknown;
}

type Content = Record<string, { schema?: Schema } | undefined>;

export interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    schemas: Record<string, Schema>;
    headers: Record<string, { readonly required?: boolean; readonly schema: Schema }>;
    securitySchemes: Record<string, object>;
  };
}

export interface Route {
  /** In capitals. */
  readonly method: string;
  /** As the document has it: `/api/v1/tasks/{id}`. */
  readonly path: string;
  readonly operation: Operation;
}

/** The OpenAPI document as a judge of answers: what it does not promise fails the test. */
export class Contract {
  readonly routes: readonly Route[];
  /** Not zod: what the service validates with must not be its own judge. Not strict: OpenAPI has more keywords. */
  private readonly ajv = addFormats.default(new Ajv.Ajv({ strict: false }));
  private readonly validators = new Map<object, ValidateFunction>();

  constructor(readonly document: OpenApi) {
    this.routes = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
  }

  static async of(url: string): Promise<Contract> {
    return new Contract((await (await fetch(`${url}/docs/json`)).json()) as OpenApi);
  }

  /** @throws Error where a route of the document answers what it does not say */
  check(method: string, path: string, answer: Answer): void {
    const route = this.routes.find((each) => each.method === method && matches(each.path, path));
    if (!route) return;
    const name = `${method} ${route.path} → ${answer.status}`;
    const response = route.operation.responses[answer.status];
    if (!response) throw new Error(`${name} is not in the document: ${JSON.stringify(answer.body)}`);
    this.checkHeaders(name, response, answer.headers);
    if (response.content === undefined && answer.body === '') return;
    const type = answer.headers.get('content-type')?.split(';', 1)[0] ?? '';
    const schema = response.content?.[type]?.schema;
    if (!schema) throw new Error(`${name} of ${type} is not in the document`);
    if (!type.includes('json')) return;
    const validate = this.validatorOf(schema);
    if (validate(answer.body)) return;
    throw new Error(`${name} is not what the document says: ${this.ajv.errorsText(validate.errors)}`);
  }

  /** Those that always come are there, and no other of those that the document knows. */
  private checkHeaders(name: string, { headers: promised = {} }: Response, headers: Headers): void {
    for (const [header, { required = false, schema }] of Object.entries(this.document.components.headers)) {
      const value = headers.get(header);
      if (header in promised ? required && value === null : value !== null) {
        throw new Error(`${name} has ${header}: ${value}, which is not what the document says`);
      }
      const read = schema.type === 'integer' ? Number(value) : value;
      if (value !== null && !this.accepts(schema, read)) throw new Error(`${name} has a bad ${header}: ${value}`);
    }
  }

  /** As check, of every answer that a generated client has. */
  readonly middleware: Middleware = {
    onResponse: async ({ request: { method }, schemaPath, response }) =>
      this.check(method, `/api/v1${schemaPath}`, await answerOf(response.clone())),
  };

  /** Whether a request body is what the document asks for. */
  accepts(schema: object, body: unknown): boolean {
    return this.validatorOf(schema)(body);
  }

  private validatorOf(schema: object): ValidateFunction {
    const known = this.validators.get(schema);
    if (known) return known;
    const made = this.ajv.compile({ ...schema, components: this.document.components });
    this.validators.set(schema, made);
    return made;
  }
}

function matches(template: string, path: string): boolean {
  const [bare] = path.split('?', 1);
  return new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(bare!);
}
