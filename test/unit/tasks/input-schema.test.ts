import { executionInput } from '../../../src/tasks/api/input-schema.js';
import { testsSchema } from '../../../src/tasks/api/suite-schemas.js';

// Its folders have 4 GiB of paths together.
const PATH = `${'a/'.repeat(65_536)}a`;

test.each([
  ['an input', executionInput, { files: [{ path: PATH, content: '' }] }],
  ['a test', testsSchema, [{ files: [{ path: PATH, content: '' }] }]],
])('a path that is too long, in %s, is refused without looking at its folders', (_, schema, value) => {
  const { error } = schema.safeParse(value);
  expect(error!.issues.map(({ message }) => message)).toEqual(['must be at most 255 bytes']);
});
