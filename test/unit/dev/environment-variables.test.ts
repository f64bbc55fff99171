import setVariables from '../../runner/environment-variables.cjs';

it('a test file’s environment variables do not reach the next file of its worker process', () => {
  const before = { ...process.env };
  const restore = setVariables({ TEST_OF_A_PROJECT: 'off', PATH: '/nowhere' });
  expect(process.env).toMatchObject({ TEST_OF_A_PROJECT: 'off', PATH: '/nowhere' });
  process.env['TEST_OF_A_FILE'] = '1';
  delete process.env['HOME'];
  restore();
  expect({ ...process.env }).toEqual(before);
});
