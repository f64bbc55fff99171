import openapiTS, { astToString } from 'openapi-typescript';

import { makeApiDocument } from './api-document.js';

export const API_TYPES_FILE = 'packages/client/src/generated/api.ts';

const HEADER = `// Made of the API's OpenAPI document by \`npm run generate:client\`. Do not edit: change the code, and make it anew.

`;

/** What API_TYPES_FILE has to hold. */
export async function makeApiTypes(): Promise<string> {
  const document = (await makeApiDocument()) as Exclude<Parameters<typeof openapiTS>[0], string | URL>;
  return HEADER + astToString(await openapiTS(document));
}
