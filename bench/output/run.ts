import { ApiClient, hasEnded } from '../../test/support/api-client.js';
import build from '../../test/support/build.js';
import { startChildService } from '../../test/support/child-service.js';
import { prepareTestService } from '../../test/support/service.js';
import { quantile } from '../figures.js';

/**
 * The latency from a print to the follower. The program prints its clock line by line; the follower reads the response
 * over HTTP on the same host and compares it with its own clock. Both are the host's clock. The follower's counts whole
 * milliseconds, so each figure may be up to 1 ms too low.
 */
const LINES = 200;
const BETWEEN_LINES_SECONDS = 0.05;
const LATENCY_MS_MAX = 100;
const NS_PER_MS = 1_000_000n;

const SCRIPT = `
import time
for _ in range(${LINES}):
    print(time.time_ns(), flush=True)
    time.sleep(${BETWEEN_LINES_SECONDS})
`;

/** Milliseconds of each line, in order. */
async function follow(url: string, token: string): Promise<number[]> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const latencies: number[] = [];
  let rest = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const now = BigInt(Date.now());
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) latencies.push(Number(now - BigInt(line) / NS_PER_MS));
  }
  return latencies;
}

await build();
const installation = await prepareTestService();
const service = await startChildService(installation.env);
try {
  const client = await ApiClient.register(() => service.url!);
  const { id } = await client.createTask({ script_type: 'python', script_content: SCRIPT });
  for (const round of ['warm-up', 'measured']) {
    const run = await client.start(id);
    const url = `${service.url}/api/v1/executions/${run.id}/output/stdout?follow=true`;
    const latencies = await follow(url, client.accessToken);
    const ended = await client.follow(run.id, hasEnded);
    if (ended.status !== 'completed' || latencies.length !== LINES) {
      throw new Error(`${ended.status}, ${latencies.length} of ${LINES} lines`);
    }
    const at = (share: number): number => quantile(latencies, share);
    const p95 = at(0.95);
    const met = p95 < LATENCY_MS_MAX;
    console.log(
      `${round}: p50 ${at(0.5)} ms, p95 ${p95} ms, max ${at(1)} ms of ${LINES} lines ` +
        `(target: p95 below ${LATENCY_MS_MAX}, ${met ? 'met' : 'MISSED'})`,
    );
    process.exitCode = met ? 0 : 1;
  }
} finally {
  await service.end();
  await installation.close();
}
