import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';

/**
 * Runs the named benchmarks (`npm run bench -- append rebuild`), or all of them, one at a time. Each has its own
 * folder, prints its own figures, and runs in its own process, so that none warms up another's code.
 */
const QUESTIONS = [
  'append',
  'rebuild',
  'overhead',
  'queue',
  'sandbox',
  'cold',
  'neighbour',
  'service',
  'suite',
  'rerun',
  'keys',
  'client',
  'cli',
  'webhooks',
  'counts',
  'output',
  'printing',
  'memory',
  'inputs',
  'memory-figures',
  'acceptance',
  'followers',
  'lists',
  'api',
  'recovery',
];

if (existsSync('.voidrunner/dev.env')) process.loadEnvFile('.voidrunner/dev.env');

const asked = process.argv.slice(2);
const unknown = asked.filter((question) => !QUESTIONS.includes(question));
if (unknown.length > 0) throw new Error(`no such benchmark: ${unknown.join(', ')}; there are ${QUESTIONS.join(', ')}`);

for (const question of asked.length > 0 ? asked : QUESTIONS) {
  process.stdout.write(`\n== ${question}\n`);
  const child = spawn(process.execPath, ['--import', '@swc-node/register/esm-register', `bench/${question}/run.ts`], {
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) process.exitCode = 1;
}
