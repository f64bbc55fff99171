import type { OpenAPIObject } from '@nestjs/swagger';
import { createConfig, lintFromString } from '@redocly/openapi-core';

import { makeApiDocument } from '../../support/api-document.js';

/** The recommended rules, in the strict form, where warnings are errors. No rule is switched off. */
async function faultsOf(document: OpenAPIObject): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended-strict'] });
  const source = JSON.stringify(document);
  const problems = await lintFromString({ source, absoluteRef: '/openapi.json', config });
  return problems.map(({ ruleId, location, message }) => `${ruleId}: ${location[0]?.pointer}: ${message}`);
}

let document: OpenAPIObject;

beforeAll(async () => {
  document = await makeApiDocument();
});

test('the document has no fault', async () => {
  expect(await faultsOf(document)).toEqual([]);
});

test('a planted fault is found', async () => {
  const faulty = structuredClone(document);
  delete faulty.paths['/api/v1/ping']!.get!.security;
  const rules = (await faultsOf(faulty)).map((fault) => fault.split(':', 1)[0]);
  expect(rules).toEqual(['security-defined']);
});
