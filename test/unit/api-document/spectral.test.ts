import type { OpenAPIObject } from '@nestjs/swagger';
import spectral, { type RulesetDefinition } from '@stoplight/spectral-core';
import rulesets from '@stoplight/spectral-rulesets';

import { makeApiDocument } from '../../support/api-document.js';

/** All OpenAPI rules, recommended or not, except two. */
const linter = new spectral.Spectral();
linter.setRuleset({
  extends: [[rulesets.oas as RulesetDefinition, 'all']],
  rules: {
    // The operator has an address, the project has none.
    'contact-properties': 'off',
    // The page shows tags in the document's order, which is the order for newcomers.
    'openapi-tags-alphabetical': 'off',
  },
});

const faultsOf = async (of: OpenAPIObject): Promise<string[]> =>
  (await linter.run({ ...of })).map(({ code, path, message }) => `${code}: ${path.join('.')}: ${message}`);

let document: OpenAPIObject;

beforeAll(async () => {
  document = await makeApiDocument();
});

test('the document has no fault', async () => {
  expect(await faultsOf(document)).toEqual([]);
});

test('a planted fault is found', async () => {
  const faulty = structuredClone(document);
  delete faulty.paths['/api/v1/tasks']!.post!.description;
  Object.assign(faulty.components!.schemas!['RegisterRequest']!, { example: { email: 'ada@example.com' } });
  const rules = (await faultsOf(faulty)).map((fault) => fault.split(':', 1)[0]);
  expect(new Set(rules)).toEqual(new Set(['operation-description', 'oas3-valid-schema-example']));
});
