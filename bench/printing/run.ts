/**
 * Question: how much does the sandbox slow down a program that prints a lot? 100,000 lines in each language, and 256
 * MiB by one program, timed by the program itself (so that neither the start nor the compiler counts), against the
 * plain interpreter in a container of the same image and limits that prints into a pipe to `cat`. Rounds interleaved;
 * medians.
 * Run: npm run bench -- printing   (ROUNDS=9 by default)
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { text } from 'node:stream/consumers';

import type { ScriptType } from '../../test/support/declared-runtimes.js';
import { dockerEndpoint, TestSandbox } from '../../test/support/docker.js';
import { median } from '../figures.js';

const ROUNDS = Number(process.env.ROUNDS ?? 9);
const LINES = 100_000;
const RATIO_MAX = 1.3;
const USER = 'b0000000-0000-4000-8000-000000000000';
const LIMITS = ['--memory=256m', '--memory-swap=256m', '--cpus=1', '--pids-limit=128', '--network=none', '--read-only'];

interface Printer {
  readonly language: ScriptType;
  /** By default, the language. */
  readonly name?: string;
  /** Prints the lines, then the milliseconds that they took to stderr. */
  readonly script: string;
  /** A shell's command that reads the script from stdin, and runs it with its stdout in a pipe. */
  readonly plain: string;
}

const JAVASCRIPT = `const t = performance.now();
for (let n = 0; n < ${LINES}; n++) console.log(n);
console.error(performance.now() - t);`;

const PRINTERS: readonly Printer[] = [
  {
    language: 'python',
    script: `import sys, time
t = time.perf_counter()
for n in range(${LINES}): print(n)
sys.stdout.flush()
print((time.perf_counter() - t) * 1000, file=sys.stderr)`,
    // -S: without the additions of this image to Python.
    plain: 'cat >main.py; python3 -S main.py | cat >/dev/null',
  },
  { language: 'javascript', script: JAVASCRIPT, plain: 'cat >main.js; node main.js | cat >/dev/null' },
  { language: 'typescript', script: JAVASCRIPT, plain: 'cat >main.js; node main.js | cat >/dev/null' },
  {
    language: 'bash',
    script: `t=$EPOCHREALTIME
for ((n = 0; n < ${LINES}; n++)); do echo $n; done
e=$EPOCHREALTIME; echo $(( (\${e/./} - \${t/./}) / 1000 )) >&2`,
    plain: 'cat >main.sh; bash main.sh | cat >/dev/null',
  },
  {
    language: 'go',
    script: `package main
import ("fmt"; "os"; "time")
func main() {
  t := time.Now()
  for n := range ${LINES} { fmt.Println(n) }
  fmt.Fprintln(os.Stderr, float64(time.Since(t).Microseconds()) / 1000)
}`,
    plain: 'cat >main.go; go build -o main main.go; ./main | cat >/dev/null',
  },
  {
    language: 'bash',
    name: '256 MiB',
    script: `t=$EPOCHREALTIME
head -c 256M /dev/zero
e=$EPOCHREALTIME; echo $(( (\${e/./} - \${t/./}) / 1000 )) >&2`,
    plain: 'cat >main.sh; bash main.sh | cat >/dev/null',
  },
];

async function plainMs({ language, script, plain }: Printer): Promise<number> {
  const image = language === 'typescript' ? 'javascript' : language;
  const args = [
    '--host',
    dockerEndpoint,
    'run',
    '--rm',
    '--interactive',
    ...LIMITS,
    '--tmpfs=/tmp:exec',
    '--workdir=/tmp',
  ];
  const child = spawn('docker', [...args, `voidrunner/${image}:latest`, 'bash', '-c', `cd /tmp; ${plain}`]);
  child.stdin.end(script);
  const [said] = await Promise.all([text(child.stderr), text(child.stdout), once(child, 'close')]);
  return msIn(said);
}

/** The last line: the engine may print messages before it. */
function msIn(said: string): number {
  const ms = Number(said.trim().split('\n').at(-1));
  if (!(ms > 0)) throw new Error(said);
  return ms;
}

const box = await TestSandbox.create({ outputBytesMax: 1024 ** 2 });
const sandboxMs = async ({ language, script }: Printer): Promise<number> => {
  const { err } = await box.run(language, script, { userId: USER, limits: { memory_mb: 256, cpus: 1, pids: 128 } });
  return msIn(err);
};

try {
  console.log(`load ${loadavg()[0]?.toFixed(1)}; ms for ${LINES} lines or 256 MiB, medians of ${ROUNDS}`);
  console.log('              plain  sandbox   ratio');
  for (const printer of PRINTERS) {
    const plain: number[] = [];
    const inside: number[] = [];
    await sandboxMs(printer);
    for (let round = 0; round < ROUNDS; round += 1) {
      plain.push(await plainMs(printer));
      inside.push(await sandboxMs(printer));
    }
    const ratio = median(inside) / median(plain);
    const met = ratio <= RATIO_MAX;
    if (!met) process.exitCode = 1;
    const cells = [plain, inside].map((values) => median(values).toFixed(0).padStart(8)).join(' ');
    const name = (printer.name ?? printer.language).padEnd(11);
    console.log(`${name}${cells}    ${ratio.toFixed(2)} (<= ${RATIO_MAX}) ${met ? 'met' : 'MISSED'}`);
  }
} finally {
  await box.sandbox.close();
}
