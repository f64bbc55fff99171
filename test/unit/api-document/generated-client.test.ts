import { readFile } from 'node:fs/promises';

import { API_TYPES_FILE, makeApiTypes } from '../../support/api-types.js';

// Where it fails: `npm run generate:client`, and `npm run typecheck` says which tests no longer fit the API.
test('the generated client is that of the document', async () => {
  expect(await readFile(API_TYPES_FILE, 'utf8')).toBe(await makeApiTypes());
});
