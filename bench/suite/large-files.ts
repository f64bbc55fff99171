import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';

import type { ApiClient } from '../../test/support/api-client.js';
import { dockerEndpoint } from '../../test/support/docker.js';
import { median, peakMib, residentMib, timed } from '../figures.js';

const INPUT = randomBytes(16 * 1024 ** 2);
/** Sent as it is, so that the sender does not serialise it in each round. */
const BODY = JSON.stringify({
  name: 'copy',
  script_type: 'bash',
  script_content: 'cp in out',
  input: { files: [{ path: 'in', content: INPUT.toString('base64'), encoding: 'base64' }], outputs: ['out'] },
});

const execute = promisify(execFile);
const docker = (...args: readonly string[]) => execute('docker', ['--host', dockerEndpoint, ...args]);

/** A container that receives 16 MiB, copies them, and sends the copy, as often as it is asked. */
class Copier implements AsyncDisposable {
  private constructor(private readonly id: string) {}

  static async start(): Promise<Copier> {
    const { stdout } = await docker(
      'run',
      '--detach',
      '--rm',
      '--network=none',
      'voidrunner/bash:latest',
      'sleep',
      '600',
    );
    return new Copier(stdout.trim());
  }

  async copy(): Promise<void> {
    const command = ['sh', '-c', 'cd /dev/shm && cat > in && cp in out && cat out'];
    const child = spawn('docker', ['--host', dockerEndpoint, 'exec', '-i', this.id, ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.end(INPUT);
    assert.ok(INPUT.equals(await buffer(child.stdout)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await docker('kill', this.id);
  }
}

/**
 * How long does it take to send 16 MiB to a program that copies them, and to fetch the copy: over HTTP, with everything
 * stored and encrypted twice, and through the streams of a container? And how much memory does the worker need for it?
 */
export async function measureLargeFiles(client: ApiClient, workerPid: number, rounds: number) {
  await using copier = await Copier.start();
  const run = async (): Promise<void> => {
    const { body } = await client.request<{ id: string; status: string }>('POST', '/executions?wait=60', BODY);
    assert.equal(body.status, 'completed');
    const { data } = await client.api.GET('/api/v1/executions/{id}/files/{path}', {
      params: { path: { id: body.id, path: 'out' } },
      parseAs: 'arrayBuffer',
    });
    assert.ok(INPUT.equals(new Uint8Array(data as unknown as ArrayBuffer)));
  };
  await run();
  const times = { ours: [] as number[], cp: [] as number[] };
  const before = await residentMib(workerPid);
  const peak = await peakMib(workerPid, async () => {
    for (let round = 0; round < rounds; round += 1) {
      times.ours.push(await timed(run));
      times.cp.push(await timed(() => copier.copy()));
    }
  });
  return { oursMs: median(times.ours), cpMs: median(times.cp), beforeMib: before, peakMib: peak };
}
