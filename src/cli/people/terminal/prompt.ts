import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';

import { EXIT_SIGNAL_BASE } from '../../exit-codes.js';
import { Failure } from '../../failure.js';

const SIGINT = 2;
const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

let piped: AsyncIterator<string, undefined> | null = null;

/** Asks for a line on standard error. Without a terminal, it is the next line of standard input. */
export const ask = (question: string): Promise<string> => answer(question, process.stderr);

/** Like ask, without an echo. */
export const askSecret = (question: string): Promise<string> => answer(question, null);

async function answer(question: string, echo: NodeJS.WritableStream | null): Promise<string> {
  if (!process.stdin.isTTY) return nextLine();
  process.stderr.write(question);
  const lines = createInterface({ input: process.stdin, output: echo ?? nowhere(), terminal: true });
  try {
    return await lineOf(lines);
  } finally {
    lines.close();
    if (echo === null) process.stderr.write('\n');
  }
}

async function lineOf(lines: Interface): Promise<string> {
  lines.on('SIGINT', () => {
    lines.close();
    process.stderr.write('\n');
    process.exit(EXIT_SIGNAL_BASE + SIGINT);
  });
  const closed = once(lines, 'close').then(() => null);
  const line = await Promise.race([once(lines, 'line'), closed]);
  if (line === null) throw noLine();
  return String((line as unknown[])[0]);
}

async function nextLine(): Promise<string> {
  piped ??= createInterface({ input: process.stdin, terminal: false })[Symbol.asyncIterator]();
  const { done, value } = await piped.next();
  if (done) throw noLine();
  return value;
}

const noLine = () => new Failure('standard input has ended before it said everything: email, then password');
