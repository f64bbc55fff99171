/**
 * Question: does `memory_usage_bytes` count only the run itself, whatever ran before it in its cell? Each program
 * prints its own peak memory (programs.ts). The reference is that figure in `docker run` of the same program in the
 * same image. It is compared with the figures of a cell's first job, of a later job, and of a job after one of 60 MiB;
 * medians. The peak of the fresh cgroup is shown too: it adds kernel memory, the page cache and the compiler, without
 * pages that another container was charged for.
 * Run: npm run bench -- memory-figures   (ROUNDS=7 by default; ONLY=go for one language)
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { DockerSandbox } from '../../src/sandbox/docker-sandbox.js';
import { commandOf } from '../../src/runtimes/runtime.js';
import { runtimeOf } from '../../test/support/declared-runtimes.js';
import { dockerEndpoint, job, sandboxOptions } from '../../test/support/docker.js';
import { median } from '../figures.js';
import { type MeasuredProgram, PROGRAMS } from './programs.js';

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const DEVIATION_MAX = 0.1;
const MIB = 1024 * 1024;
const LIMITS = { memory_mb: 256, cpus: 1, pids: 64 };
const CGROUP_PEAK = 'cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.peak';
/**
 * Like a cell's job, which is bound to one CPU. In most runs node then touches 6 MiB more of its own text than with two
 * CPUs, in some runs it does not: hence seven rounds.
 */
const ONE_CPU = ['--cpus=1', '--cpuset-cpus=0'];
/** The previous job, in the same image. */
const LARGE = {
  python: 'x = bytearray(60 << 20)',
  javascript: 'Buffer.alloc(60 << 20, 1)',
  typescript: 'Buffer.alloc(60 << 20, 1)',
  bash: "x=$(printf '%*s' 20000000 x); x=$x$x",
  go: 'package main\nfunc main() { x := make([]byte, 60<<20); for i := range x { x[i] = 1 }; println(len(x)) }',
} as const;

interface PeerFigures {
  readonly own: number;
  readonly cgroup: number;
}

async function dockerRun({ language, script }: MeasuredProgram): Promise<PeerFigures> {
  const { image, file_name, compile, run: program, environment } = runtimeOf(language);
  const variables = Object.entries({ HOME: '/tmp', LANG: 'C.UTF-8', ...environment }).flatMap(([k, v]) => [
    '-e',
    `${k}=${v}`,
  ]);
  const values = { ...LIMITS, program: '/tmp/.program' };
  const compiled = commandOf(compile?.command ?? [':'], values).join(' ');
  const inside = `mkdir /tmp/work; cd /tmp/work; cat >${file_name}; ${compiled}; "$@"; ${CGROUP_PEAK}`;
  const limits = ['--memory=256m', '--memory-swap=256m', '--tmpfs=/tmp:exec,size=192m', '--shm-size=16m', ...ONE_CPU];
  const run = ['run', '-i', '--rm', '--network=none', '--read-only', '--entrypoint=', ...limits, ...variables];
  const command = ['sh', '-c', inside, 'sh', ...commandOf(program, values)];
  const child = spawn('docker', ['--host', dockerEndpoint, ...run, image, ...command]);
  child.stdin.end(script);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const [own, cgroup] = out.trim().split('\n').slice(-2).map(Number);
  if (!own || !cgroup) throw new Error(`docker run of ${language} printed ${out} ${err}`);
  return { own, cgroup };
}

const sandbox = new DockerSandbox(await sandboxOptions());

async function figureOf({ language, script }: Omit<MeasuredProgram, 'what'>, userId: string): Promise<number> {
  const asked = job(language, script, { userId, limits: LIMITS });
  const outcome = await sandbox.run(asked, { signal: new AbortController().signal });
  if (outcome.returnCode !== 0 || outcome.memoryPeakBytes === null) {
    throw new Error(`${language} ended as ${outcome.reason} ${Buffer.from(outcome.stderr.content).toString()}`);
  }
  return outcome.memoryPeakBytes;
}

const mib = (bytes: number): string => (bytes / MIB).toFixed(1).padStart(8);

/** @returns whether every figure is within the target */
async function compare(program: MeasuredProgram): Promise<boolean> {
  const peers: PeerFigures[] = [];
  const ours: [first: number, later: number, after: number][] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    peers.push(await dockerRun(program));
    // A new user's first job gets a new cell.
    const userId = randomUUID();
    const first = await figureOf(program, userId);
    const later = await figureOf(program, userId);
    await figureOf({ language: program.language, script: LARGE[program.language] }, userId);
    ours.push([first, later, await figureOf(program, userId)]);
  }
  const own = median(peers.map((peer) => peer.own));
  const figures = [0, 1, 2].map((place) => median(ours.map((round) => round[place]!)));
  const deviations = figures.map((figure) => figure / own - 1);
  const worst = deviations.toSorted((a, b) => Math.abs(b) - Math.abs(a))[0]!;
  const met = Math.abs(worst) <= DEVIATION_MAX;
  console.log(
    `${program.language.padEnd(11)} ${program.what.padEnd(31)} ${mib(own)} ${mib(median(peers.map((p) => p.cgroup)))}  ` +
      `${figures.map(mib).join(' ')}   ${(worst * 100).toFixed(1).padStart(6)} %  ${met ? 'met' : 'MISSED'}`,
  );
  return met;
}

try {
  console.log(
    `MiB, medians of ${ROUNDS} (target: within ${DEVIATION_MAX * 100} % of the program's figure in docker run)\n` +
      `${' '.repeat(44)}  docker   cgroup     first    later    after   deviation`,
  );
  const met: boolean[] = [];
  for (const program of PROGRAMS.filter(({ language }) => (process.env.ONLY ?? language) === language)) {
    met.push(await compare(program));
  }
  process.exitCode = met.every(Boolean) ? 0 : 1;
} finally {
  await sandbox.close();
}
