/**
 * Question: how long does `voidrunner` take before it does something for a person? `--help` to its end, and `runtimes` to
 * its first request, beside `node -e 0`, in turn.
 * Run: npm run bench -- cli
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg } from 'node:os';

import build from '../../test/support/build.js';
import { median, timed } from '../figures.js';

const ROUNDS = 15;
const START_MS_MAX = 250;
const CLI = 'bin/voidrunner';

await build();

async function end(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  const child = spawn(command, args, { stdio: 'ignore', env: { ...process.env, NODE_OPTIONS: '', ...env } });
  await once(child, 'close');
}

let requested: (() => void) | undefined;
const server = createServer((_request, response) => {
  requested?.();
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"runtimes": []}');
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function untilRequest(): Promise<void> {
  const request = new Promise<void>((resolve) => (requested = resolve));
  void end(CLI, ['runtimes'], { VOIDRUNNER_URL: url, VOIDRUNNER_API_KEY: '' });
  await request;
}

try {
  const times = { node: [] as number[], help: [] as number[], request: [] as number[] };
  // The first one compiles the code that later ones find in the cache.
  await end(CLI, ['--help']);
  await untilRequest();
  for (let round = 0; round < ROUNDS; round += 1) {
    times.node.push(await timed(() => end(process.execPath, ['-e', '0'])));
    times.help.push(await timed(() => end(CLI, ['--help'])));
    times.request.push(await timed(untilRequest));
  }
  const [node, help, request] = [median(times.node), median(times.help), median(times.request)];
  const isMet = help <= START_MS_MAX && request <= START_MS_MAX;
  console.log(`medians of ${ROUNDS}; load ${loadavg()[0]!.toFixed(1)}; node -e 0: ${node.toFixed(0)} ms`);
  console.log(
    `voidrunner --help: ${help.toFixed(0)} ms; runtimes, to its first request: ${request.toFixed(0)} ms ` +
      `(target: at most ${START_MS_MAX} each, ${isMet ? 'met' : 'MISSED'})`,
  );
  process.exitCode = isMet ? 0 : 1;
} finally {
  server.close();
  server.closeAllConnections();
}
