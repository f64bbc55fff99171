import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { ignoreErrors } from '../../src/platform/async/ignore-errors.js';
import { connectEngine } from '../../src/sandbox/engine.js';
import { ApiClient } from '../support/api-client.js';
import { dockerEndpoint } from '../support/docker.js';
import { eventually } from '../support/eventually.js';
import { RuntimeFiles } from '../support/runtime-files.js';
import { startTestService } from '../support/service.js';

const execute = promisify(execFile);

/** The blocks of the section, by the file name before them or their language. */
async function exampleOf(page: string): Promise<Map<string, string>> {
  const section = (await readFile(page, 'utf8')).split('## Adding a runtime')[1]!;
  const blocks = section.matchAll(/(?:`([\w./]+)`:\n\n)?```(\w+)\n([^]*?)```/g);
  return new Map([...blocks].map(([, file, language, text]) => [file ?? language!, text!]));
}

test('the example of docs/runtimes.md, word for word', async () => {
  const example = await exampleOf('docs/runtimes.md');
  expect([...example.keys()]).toEqual(['tcl/Dockerfile', 'sh', 'runtimes/tcl.yaml', 'json']);
  const folder = await mkdtemp(join(tmpdir(), 'voidrunner-example-'));
  const runtimes = await RuntimeFiles.copy();
  const engine = connectEngine(dockerEndpoint);
  // Others may follow the example on the same engine.
  const image = `example/tcl:${randomUUID().slice(0, 8)}`;
  const ownTag = (text: string) => text.replace('example/tcl:1', image);
  try {
    const dockerfile = join(folder, 'tcl/Dockerfile');
    await mkdir(dirname(dockerfile));
    await writeFile(dockerfile, example.get('tcl/Dockerfile')!);
    await execute('sh', ['-euc', ownTag(example.get('sh')!)], {
      cwd: folder,
      env: { ...process.env, DOCKER_HOST: dockerEndpoint },
    });
    await runtimes.write('tcl', ownTag(example.get('runtimes/tcl.yaml')!));

    const service = await startTestService({ RUNTIMES_DIR: runtimes.folder });
    try {
      const client = await ApiClient.register(() => service.url);
      await eventually(async () => {
        const listed = await client.ok<{ runtimes: { name: string }[] }>('GET', '/runtimes');
        expect(listed.runtimes.find(({ name }) => name === 'tcl')).toMatchObject({
          available: true,
          version: 'Tcl 8.6',
        });
      });
      const body = JSON.parse(example.get('json')!) as object;
      const ended = await client.ok('POST', '/executions?wait=60', body);
      expect(ended).toMatchObject({ status: 'completed', stdout: 'Hello world\n', stderr: '' });
    } finally {
      await service.close();
    }
  } finally {
    await ignoreErrors(engine.getImage(image).remove({ force: true }), 'it was not built');
    await runtimes.remove();
    await rm(folder, { recursive: true });
  }
});
