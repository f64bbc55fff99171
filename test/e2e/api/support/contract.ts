import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

import { type Answer, answerOf, type TypedApi } from '../../../support/api-client.js';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
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

/** Whether it requires an access token. */
export const asksForToken = ({ security = [] }: Operation): boolean => security.length > 0;

/** The part of a schema that tests read. */
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
  /** In upper case. */
  readonly method: string;
  /** As in the document: `/api/v1/tasks/{id}`. */
  readonly path: string;
  readonly operation: Operation;
}

/** Checks responses against the OpenAPI document: a response that it does not describe fails the test. */
export class Contract {
  readonly routes: readonly Route[];
  /** Not zod: the check must not use the service's own validator. Not strict: OpenAPI has more keywords. */
  private readonly ajv = addFormats.default(new Ajv.Ajv({ strict: false }));
  private readonly validators = new Map<object, ValidateFunction>();

  constructor(readonly document: OpenApi) {
    // The regular expression of ajv-formats exhausts the stack for a text of megabytes.
    this.ajv.addFormat('byte', (text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text));
    this.routes = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
  }

  static async of(url: string): Promise<Contract> {
    return new Contract((await (await fetch(`${url}/docs/json`)).json()) as OpenApi);
  }

  /** @throws Error if the response of a documented route does not match the document */
  check(method: string, path: string, answer: Answer): void {
    const route = this.routes.find((each) => each.method === method && matches(each.path, path));
    if (!route) return;
    const name = `${method} ${route.path} → ${answer.status}`;
    const response = route.operation.responses[answer.status];
    if (!response) throw new Error(`${name} is not in the document: ${JSON.stringify(answer.body)}`);
    this.checkHeaders(name, response, answer.headers);
    if (response.content === undefined && answer.body === '') return;
    const type = answer.headers.get('content-type')?.split(';', 1)[0] ?? '';
    const schema = (response.content?.[type] ?? response.content?.['*/*'])?.schema;
    if (!schema) throw new Error(`${name} of ${type} is not in the document`);
    if (!type.includes('json')) return;
    const validate = this.validatorOf(schema);
    if (validate(answer.body)) return;
    throw new Error(`${name} is not what the document says: ${this.ajv.errorsText(validate.errors)}`);
  }

  /** All required headers are present, and no undocumented ones. */
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

  /** Like check, for every response that a generated client receives. */
  readonly middleware: Parameters<TypedApi['use']>[0] = {
    onResponse: async ({ request: { method }, schemaPath, response }) =>
      this.check(method, schemaPath, await answerOf(response.clone())),
  };

  /** Whether a request body matches the document. */
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
