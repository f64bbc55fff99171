import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { startTestService, type TestService } from '../support/service.js';

const execute = promisify(execFile);
const PAGE = 'docs/examples.md';
const ADDRESS = 'http://localhost:8080';

/** A block of shell, and the block of text that follows it: what it prints. */
interface Step {
  readonly script: string;
  readonly output: string;
}

/** The blocks of a section of the page; those before the first section belong to each. */
function stepsOf(section: string): Step[] {
  const blocks = section.matchAll(/```sh\n([^]*?)```\n(?:\n```text\n([^]*?)```)?/g);
  return [...blocks].map(([, script, output]) => ({ script: script!, output: output ?? '' }));
}

const [start, ...sections] = (await readFile(PAGE, 'utf8')).split(/^## /m);

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

test.each(sections.map((section) => [section.split('\n', 1)[0]!, section]))('%s', async (_, section) => {
  const folder = await mkdtemp(join(tmpdir(), 'voidrunner-example-'));
  try {
    const steps = [...stepsOf(start!), ...stepsOf(section)];
    const script = steps.map(({ script }) => script).join('\n');
    const { stdout } = await execute('bash', ['-euo', 'pipefail', '-c', script.replace(ADDRESS, service.url)], {
      cwd: folder,
    });
    expect(stdout).toBe(steps.map(({ output }) => output).join(''));
  } finally {
    await rm(folder, { recursive: true });
  }
});
