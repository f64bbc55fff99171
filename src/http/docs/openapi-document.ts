import { KEY_SCHEME } from '../scopes.js';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';

import { problemSchema } from './api-problems.js';
import type { EventDocsOptions } from './asyncapi-document.js';
import { convertedSchema } from './converted-schema.js';
import { RESPONSE_HEADERS } from './documented-headers.js';
import { applyOperationRules } from './operation-rules.js';
import { applyChoices, applyMaxima, type Choices, markOptionalBodies, type Maxima } from './request-bodies.js';

export interface DocsOptions {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  /** The descriptions of the controllers' tags, in the order of the page. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Maxima of request fields that the operator sets. */
  readonly maxima?: Maxima;
  /** Absent: no `/asyncapi.json`. */
  readonly events?: EventDocsOptions;
  /** Accepted values of request fields that the operator sets. */
  readonly choices?: Choices;
}

type Components = NonNullable<OpenAPIObject['components']>;

/** OpenAPI 3.0 and not 3.1: docs/adr/0025. */
const OPENAPI_VERSION = '3.0.3';

/** The document of all routes of the application, made from the validating schemas. */
export function createOpenApiDocument(app: INestApplication, options: DocsOptions): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion(OPENAPI_VERSION)
    .setTitle(options.title)
    .setVersion(options.version)
    .setDescription(options.description)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'The server that serves this document')
    .addBearerAuth({ type: 'http', description: 'The access_token that a login returns, or an API key' })
    .addApiKey({ type: 'apiKey', name: 'X-API-Key', in: 'header', description: 'An API key' }, KEY_SCHEME);
  for (const [name, description] of Object.entries(options.tags ?? {})) builder.addTag(name, description);
  const optionalBodies = new Set<string>();
  const document = SwaggerModule.createDocument(app, builder.build(), {
    standardSchemaConverter: (schema, { schemaType }) => {
      if (!(schema instanceof z.ZodType)) return undefined;
      const id = schema.meta()?.['id'];
      if (typeof id === 'string' && schema.safeParse(undefined).success) optionalBodies.add(id);
      return convertedSchema(schema, schemaType);
    },
  });
  // Only the operator has a contact address.
  document.info.contact = { name: options.title };
  document.components = {
    ...document.components,
    headers: RESPONSE_HEADERS as unknown as Components['headers'],
    schemas: {
      ...document.components?.schemas,
      ...(convertedSchema(problemSchema, 'output').components as Components['schemas']),
    },
  };
  markOptionalBodies(document, optionalBodies);
  applyMaxima(document, options.maxima ?? {});
  applyChoices(document, options.choices ?? {});
  applyOperationRules(document);
  return document;
}
