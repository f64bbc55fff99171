import { ThingApp } from '../../support/thing-app.js';

let app: ThingApp;

beforeAll(async () => {
  app = await ThingApp.start();
});
afterAll(() => app.close());

describe('a body', () => {
  test.each([
    ['missing field', {}, { field: 'name', value: '', tag: 'required', message: 'Required' }],
    ['wrong type', { name: 7 }, { field: 'name', value: '7', tag: 'type' }],
    ['too long', { name: 'x'.repeat(100) }, { field: 'name', value: 'x'.repeat(64), tag: 'max' }],
    ['too small', { name: 'x', priority: -1 }, { field: 'priority', value: '-1', tag: 'min' }],
    ['not one of', { name: 'x', kind: 'c' }, { field: 'kind', value: 'c', tag: 'oneof' }],
    ['a secret', { name: 'x', password: 'hunter2' }, { field: 'password', value: '[redacted]', tag: 'min' }],
    ['unknown', { name: 'x', passwrod: 'hunter2' }, { field: 'passwrod', value: '', tag: 'unknown' }],
    ['nested', { name: 'x', retry: { max_attempts: 11 } }, { field: 'retry.max_attempts', value: '11', tag: 'max' }],
    ['an object instead of a string', { name: { a: 1 } }, { field: 'name', value: '[object]', tag: 'type' }],
    ['not an object', [1], { field: '', value: '[array]', tag: 'type' }],
    ['NUL', { name: 'a\0b' }, { field: 'name', value: '', tag: 'unicode' }],
    ['NUL in a key', { 'a\0b': 'x' }, { field: '', value: '', tag: 'unicode' }],
  ])('with %s is a 400 that names the fault', async (_what, body, error) => {
    const response = await app.post(body);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ error: 'Validation failed', validation_errors: [error] });
    expect(response.payload).not.toContain('hunter2');
  });

  test.each([
    ['malformed', '{"name":', 'Malformed JSON'],
    ['not JSON', 'name=x', 'Malformed JSON'],
    ['a prototype', '{"name":"x","__proto__":{"admin":true}}', 'Validation failed'],
    ['a number that would change', '{"priority":5.0000000000000001}', 'Validation failed'],
    ['one member twice', '{"name":"x","name":"y"}', 'Validation failed'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'Request body is not UTF-8'],
    ['a lone surrogate', String.raw`{"name":"\ud800"}`, 'Validation failed'],
    ['a megabyte of brackets', '['.repeat(500_000) + ']'.repeat(500_000), 'Validation failed'],
    ['empty', '', 'Validation failed'],
  ])('that is %s is a 400', async (_what, body, error) => {
    const response = await app.post(body);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ status: 400, error });
  });

  test('of more than 1 MiB is a 413, of 24 MiB on routes with input', async () => {
    const mebibyte = JSON.stringify({ text: 'x'.repeat(1024 ** 2) });
    expect((await app.post(mebibyte)).statusCode).toBe(413);
    expect((await app.post(mebibyte)).json()).toMatchObject({ error: 'Request body is too large' });
    expect((await app.post(mebibyte, {}, '/things/large')).json()).toEqual({ chars: 1024 ** 2 });
    const more = JSON.stringify({ text: 'x'.repeat(24 * 1024 ** 2) });
    expect((await app.post(more, {}, '/things/large')).statusCode).toBe(413);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])('of %s is a 415', async (type) => {
    const response = await app.post('name=x', { 'content-type': type });
    expect(response.statusCode).toBe(415);
    expect(response.json()).toMatchObject({ error: 'Unsupported media type' });
  });

  test('may be omitted if it is optional, with and without a content type', async () => {
    expect((await app.post('', {}, '/things/optional')).json()).toEqual({ body: null });
    const bare = await app.inject({
      method: 'POST',
      url: '/things/optional',
      headers: { authorization: 'Bearer good' },
    });
    expect(bare.json()).toEqual({ body: null });
  });

  test('with a thousand unknown fields gets fifty lines in the response', async () => {
    const body = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`f${i}`, 1]));
    expect((await app.post({ name: 'x', ...body })).json().validation_errors).toHaveLength(50);
  });
});

describe('a path or query', () => {
  test.each(['x', '1', '%00', 'a'.repeat(1_000), "1'--"])('with the id %s is refused', async (id) => {
    const response = await app.get(`/things/${id}`);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ error: 'Invalid task ID format' });
  });

  test('may have an id in upper case', async () => {
    const id = '0190A5D0-7B1C-7000-8000-00000000000F';
    expect((await app.get(`/things/${id}`)).json()).toEqual({ id: id.toLowerCase() });
  });

  test.each([
    ['limit=0', 'limit', 'min'],
    ['limit=x', 'limit', 'type'],
    ['limit=1&limit=2', 'limit', 'type'],
    ['limits=1', 'limits', 'unknown'],
    ['q=%00', 'q', 'unicode'],
  ])('?%s is a 400 that names the field', async (query, field, tag) => {
    const response = await app.get(`/things?${query}`);
    expect(response.statusCode).toBe(400);
    expect(response.json().validation_errors).toMatchObject([{ field, tag }]);
  });

  test('a malformed URL is a 400 of the same form', async () => {
    const response = await app.get('/things/%zz');
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ error: 'Malformed URL', status: 400 });
    expect(response.headers['x-content-type-options']).toBe('nosniff');
  });
});
