import { byteRangeOf, sendRange } from '../../../src/http/byte-ranges.js';
import { HttpProblem } from '../../../src/http/problem.js';

const BYTES = 10;
const ETAG = '"tag"';

function ask(headers: Record<string, string>, method = 'GET', bytes = BYTES) {
  const sent: Record<string, unknown> = {};
  const reply = {
    header: (name: string, value: unknown) => Object.assign(sent, { [name]: value }) && reply,
    code: (status: number) => Object.assign(sent, { status }) && reply,
  };
  const range = byteRangeOf({ method, headers }, bytes, ETAG);
  sendRange(reply as unknown as Parameters<typeof sendRange>[0], range, bytes);
  return { range, sent };
}

// RFC 9110, section 14.1.2.
test.each([
  ['bytes=0-3', 0, 3],
  ['bytes=9-', 9, 9],
  ['bytes=-4', 6, 9],
  ['bytes=-99', 0, 9],
  ['bytes=5-99', 5, 9],
])('%s is the bytes from %i to %i', (range, start, end) => {
  const answer = ask({ range });
  expect(answer.range).toEqual({ start, end });
  expect(answer.sent).toEqual({ 'accept-ranges': 'bytes', 'content-range': `bytes ${start}-${end}/10`, status: 206 });
});

test.each([
  [{}],
  [{ range: 'bytes=0-1,8-9' }],
  [{ range: 'bytes=4-1' }],
  [{ range: 'bytes=-' }],
  [{ range: 'bytes=1-x' }],
  [{ range: 'bytes' }],
  [{ range: 'items=0-1' }],
  [{ range: 'bytes=0-1', 'if-range': '"other"' }],
  [{ range: 'bytes=0-1', 'if-range': 'W/"tag"' }],
  [{ range: 'bytes=0-1', 'if-range': 'Sat, 01 Jan 2050 00:00:00 GMT' }],
  [{ range: 'bytes=0-1', 'if-none-match': '"other"' }],
  [{ range: 'bytes=0-1', 'if-match': ETAG }],
])('%j is the whole', (headers: Record<string, string>) => {
  expect(ask(headers)).toEqual({ range: null, sent: { 'accept-ranges': 'bytes' } });
});

test('a HEAD has no parts', () => {
  expect(ask({ range: 'bytes=0-1' }, 'HEAD').range).toBeNull();
});

test.each([
  ['bytes=10-', BYTES],
  ['bytes=0-', 0],
  ['bytes=-0', BYTES],
])('%s of %i bytes is not satisfiable', (range, bytes) => {
  const refused = () => ask({ range }, 'GET', bytes);
  expect(refused).toThrow(HttpProblem);
  expect(refused).toThrow(expect.objectContaining({ status: 416, headers: { 'content-range': `bytes */${bytes}` } }));
});
