import { answerToBytes, problemIn } from '../../support/raw-http.js';
import { ThingApp } from '../../support/thing-app.js';

let app: ThingApp;
let port: number;

beforeAll(async () => {
  app = await ThingApp.start();
  port = await app.listen();
});
afterAll(() => app.close());

const request = (line: string, ...headers: string[]): string =>
  [line, ...headers, 'Authorization: Bearer good', 'Connection: close', '', ''].join('\r\n');

test.each([
  ['no Host', request('GET /things HTTP/1.1'), 400],
  ['no Host, and no route', request('GET /nothing HTTP/1.1'), 400],
  ['two', request('GET /things HTTP/1.1', 'Host: a', 'Host: b'), 400],
  ['the same Host twice', request('GET /things HTTP/1.1', 'Host: a', 'hOST: a'), 400],
  ['two Hosts, in HTTP/1.0', request('GET /things HTTP/1.0', 'Host: a', 'Host: b'), 400],
  ['a list of Hosts', request('GET /things HTTP/1.1', 'Host: a, b'), 400],
  ['a URL as Host', request('GET /things HTTP/1.1', 'Host: http://a/'), 400],
  ['an invalid port', request('GET /things HTTP/1.1', 'Host: a:b'), 400],
  ['an unknown expectation', request('GET /things HTTP/1.1', 'Host: a', 'Expect: tea'), 417],
  ['two expectations', request('POST /things HTTP/1.1', 'Host: a', 'Expect: tea, 100-continue'), 417],
  ['a tunnel', request('CONNECT a:80 HTTP/1.1', 'Host: a'), 501],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['an unknown method', request('TEA /things HTTP/1.1', 'Host: a'), 400],
  ['an unknown method, absolute', request('PUT http://a/things HTTP/1.1', 'Host: a'), 405],
  ['an unknown method, encoded', request('PUT /%74hings/ HTTP/1.1', 'Host: a'), 405],
  [
    'a length and chunks',
    request('POST /things HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Transfer-Encoding: chunked'),
    400,
  ],
  ['an unknown transfer coding', request('POST /things HTTP/1.1', 'Host: a', 'Transfer-Encoding: gzip, chunked'), 501],
])('%s gets a problem response', async (_what, bytes, status) => {
  const { head, body, ...answer } = problemIn(await answerToBytes(port, bytes));
  expect([answer.status, body['status']]).toEqual([status, status]);
  expect(head).toMatch(/content-type: application\/problem\+json/i);
  expect(head.toLowerCase()).toContain(`x-request-id: ${String(body['request_id'])}`);
});

test.each([
  ['HTTP/1.0 without Host', request('GET /things HTTP/1.0')],
  ['an empty Host', request('GET /things HTTP/1.1', 'Host: ')],
  ['a name and a port', request('GET /things HTTP/1.1', 'Host: api_1.example:8080')],
  ['an address of IPv6', request('GET /things HTTP/1.1', 'Host: [::1]:8080')],
  ['the absolute form', request('GET http://api.example:80/things?limit=1 HTTP/1.1', 'Host: api.example')],
  ['an expectation in HTTP/1.0', request('GET /things HTTP/1.0', 'Expect: tea')],
])('%s is accepted', async (_what, bytes) => {
  expect(await answerToBytes(port, bytes)).toMatch(/^HTTP\/1\.1 200 /);
});

test('a problem contains the path, in every form of the request line', async () => {
  const target = 'http://api.example/things/fails/conflict?a=b';
  const { body } = problemIn(await answerToBytes(port, request(`GET ${target} HTTP/1.1`, 'Host: x')));
  expect(body).toMatchObject({ status: 409, instance: '/things/fails/conflict' });
});
