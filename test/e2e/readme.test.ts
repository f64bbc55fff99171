import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { startTestService, type TestService } from '../support/service.js';

const HERE = 'http://localhost:8080';
const MARK = '=====';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

/** The block of the README that begins with the API's address, with a marker before each of its comments. */
async function session(url: string): Promise<string> {
  const blocks = (await readFile('README.md', 'utf8')).match(/(?<=^```sh\n)[^]*?(?=^```$)/gm) ?? [];
  const block = blocks.find((each) => each.startsWith(`API=${HERE}`));
  if (!block) throw new Error('the README has no session');
  return `set -euo pipefail\n${block.replace(HERE, url).replaceAll(/^# /gm, `echo; echo '${MARK}'\n# `)}`;
}

test('the curl session of the README works as written', async () => {
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', await session(service.url)]);
  expect(stderr).toBe('');
  const [, account, answer, local, task, languages, run, how, prints, happened, once, live] = stdout
    .split(`${MARK}\n`)
    .map((text) => text.trim());
  expect([account, answer, local, task, run]).toEqual(['', '42', 'Hello from a file', '', '']);
  expect(JSON.parse(languages!)).toMatchObject({
    runtimes: expect.arrayContaining([expect.objectContaining({ name: 'python', available: true })]) as object,
  });
  expect(JSON.parse(how!)).toMatchObject({ status: 'completed', stdout: 'Hello, world\n' });
  expect(prints).toBe('Hello, world');
  const { events } = JSON.parse(happened!) as { events: { type: string }[] };
  expect(events.map(({ type }) => type)).toEqual([
    'ExecutionRequested',
    'ExecutionAttemptStarted',
    'ExecutionSucceeded',
  ]);
  const [first, second, ...more] = once!.split('\n');
  expect([first, more]).toEqual([second, []]);
  expect(live!.match(/(?<=^event: ).*$/gm)).toEqual(events.map(({ type }) => type));
});
