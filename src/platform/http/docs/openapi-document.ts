import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';

import { problemResponse, problemSchema } from './api-problems.js';

export interface DocsOptions {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  /** What each tag of a controller stands for, in the order of the page. */
  readonly tags?: Readonly<Record<string, string>>;
}

type JsonSchema = Record<string, unknown>;
type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** The document of every route the application has, from the schemas that validate. */
export function createOpenApiDocument(app: INestApplication, options: DocsOptions): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle(options.title)
    .setVersion(options.version)
    .setDescription(options.description)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'Where this document comes from')
    .addBearerAuth({ type: 'http', description: 'The access_token that a login answers' });
  for (const [name, description] of Object.entries(options.tags ?? {})) builder.addTag(name, description);
  const document = SwaggerModule.createDocument(app, builder.build(), {
    standardSchemaConverter: (schema, { schemaType }) =>
      schema instanceof z.ZodType ? converted(schema, schemaType) : undefined,
  });
  // Nobody but who runs the service has an address.
  document.info.contact = { name: options.title };
  const problem = converted(problemSchema, 'output');
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, ...(problem.components as Schemas) },
  };
  markOptionalBodies(document);
  addProblemsOfAnyRoute(document);
  return document;
}

/**
 * What is answered before a route is asked, whatever it is: to a query that is malformed, to an id past all measure, and
 * to a body that cannot be read, also where the route takes none.
 */
function addProblemsOfAnyRoute(document: OpenAPIObject): void {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, { responses }] of Object.entries(item as Record<string, { responses: JsonSchema }>)) {
      const statuses = [400, ...(path.includes('{') ? [414] : []), ...(method === 'get' ? [] : [413, 415])];
      for (const status of statuses) responses[status] ??= problemResponse(status);
    }
  }
}

/** A body whose schema has a default may be left out; Nest says of every body that it is required. */
function markOptionalBodies(document: OpenAPIObject): void {
  const schemas = document.components?.schemas as Record<string, JsonSchema>;
  for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path) as unknown[])) {
    const { requestBody } = operation as { requestBody?: { required?: boolean; content: Record<string, JsonSchema> } };
    const schema = requestBody?.content['application/json']?.['schema'] as JsonSchema | undefined;
    const name = String(schema?.['$ref']).split('/').at(-1) ?? '';
    if (requestBody && schemas[name]?.['default'] !== undefined) requestBody.required = false;
  }
}

/** What has a `meta({ id })` becomes a component of that name, wherever it stands. */
function converted(schema: z.ZodType, io: 'input' | 'output'): { schema: JsonSchema; components: JsonSchema } {
  const made = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      delete (jsonSchema as JsonSchema)['id'];
    },
  });
  // The only schema of ours that contains itself, and so is given a name, is z.json().
  const json = JSON.parse(JSON.stringify(made).replaceAll('__schema0', 'JsonValue')) as JsonSchema;
  const { $defs, definitions, $schema: _dialect, ...root } = json;
  const components = { ...(definitions as JsonSchema), ...($defs as JsonSchema) };
  const id = schema.meta()?.['id'];
  if (typeof id !== 'string') return { schema: root, components };
  return {
    schema: { $ref: `#/components/schemas/${id}` },
    components: id in components ? components : { ...components, [id]: root },
  };
}
