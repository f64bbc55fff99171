import { knownEscapes } from './known-escapes.js';

/** What the engine says of itself (Engine API, /info and /version), as far as it matters here. */
export interface EngineFindings {
  readonly version: string;
  readonly runtime: string;
  /** Null for a runtime that the engine does not tell the version of. */
  readonly runtimeVersion: string | null;
  /** On the engine's host; null for a runtime that is none of its programs, or that it does not know. */
  readonly runtimePath: string | null;
  /** The names of all runtimes it was told of. */
  readonly runtimesKnown: readonly string[];
  readonly cgroupVersion: string;
  /** E.g. `name=seccomp,profile=default`, `name=userns`, `name=apparmor`. */
  readonly securityOptions: readonly string[];
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Limits that the host's kernel does not enforce: `memory`, `swap`, `pids`, `cpu`. */
  readonly limitsMissing: readonly string[];
}

export interface SandboxFindings {
  readonly engine: EngineFindings;
  readonly imagesMissing: readonly string[];
  readonly images: readonly string[];
  /** What the self-test of a real cell found. */
  readonly isolation: 'nested' | 'plain' | { readonly failure: string };
  /** Of the kernel's memory, whether a real cell is charged with its own; null where nobody can tell. */
  readonly chargesKernelMemory: boolean | null;
  readonly isNestingRequired: boolean;
  /** Runs at a time of one worker, and of one user over all workers. */
  readonly slots: number;
  readonly userSlotsMax: number;
  readonly poolSize: number;
  readonly memoryMbMax: number;
}

/** `fault`: code cannot be run, or not safely. `advice`: it can, and would be better otherwise. */
export type Verdict = 'ok' | 'advice' | 'fault';

export interface Diagnosis {
  readonly check: string;
  readonly verdict: Verdict;
  readonly detail: string;
  readonly advice?: string;
}

const MIB = 1024 * 1024;
/** What else keeps a container in, of what an engine may know. */
const OTHER_RUNTIMES = ['crun', 'runsc'];

/** One line a check, in the order in which one would mend them. */
export function diagnose(found: SandboxFindings): readonly Diagnosis[] {
  const { engine } = found;
  return [
    ok('engine', `Docker ${engine.version}, ${engine.cpus} CPUs`),
    runtimeOf(engine),
    limitsOf(engine),
    seccompOf(engine),
    usernsOf(engine),
    imagesOf(found),
    isolationOf(found),
    kernelMemoryOf(found),
    memoryOf(found),
    fairnessOf(found),
  ];
}

const ok = (check: string, detail: string): Diagnosis => ({ check, verdict: 'ok', detail });

function runtimeOf({ runtime, runtimeVersion, runtimePath, runtimesKnown }: EngineFindings): Diagnosis {
  const check = 'runtime';
  if (!runtimesKnown.includes(runtime)) {
    return {
      check,
      verdict: 'fault',
      detail: `the engine does not know ${runtime}, only ${runtimesKnown.join(', ')}`,
      advice: `tell dockerd of it (--add-runtime ${runtime}=/path/to/it, or "runtimes" in daemon.json), or unset EXECUTOR_RUNTIME`,
    };
  }
  if (runtimeVersion === null) {
    const where = runtimePath === null ? '' : `${runtimePath}; `;
    return ok(check, `${runtime} (${where}the engine does not tell its version)`);
  }
  const detail = `${runtime} ${runtimeVersion}`;
  const escapes = knownEscapes(runtime, runtimeVersion);
  if (escapes.length === 0) return ok(check, detail);
  const others = OTHER_RUNTIMES.filter((name) => runtimesKnown.includes(name));
  return {
    check,
    verdict: 'advice',
    detail: `${detail} has known escapes: ${escapes.join('; ')}`,
    advice:
      'upgrade runc to 1.2.8, 1.3.3 or newer, unless your distribution has mended this version; or set EXECUTOR_RUNTIME' +
      (others.length === 0 ? '' : `, to what this engine has beside it: ${others.join(', ')}`),
  };
}

function limitsOf({ limitsMissing, cgroupVersion }: EngineFindings): Diagnosis {
  const check = 'limits';
  const detail = `cgroup v${cgroupVersion}`;
  if (limitsMissing.length === 0) return ok(check, `${detail}: memory, swap, processes and CPU are enforced`);
  const onlySwap = limitsMissing.every((limit) => limit === 'swap');
  return {
    check,
    verdict: onlySwap ? 'advice' : 'fault',
    detail: `${detail}: the host does not enforce ${limitsMissing.join(', ')}`,
    advice: onlySwap
      ? 'turn swap off, or boot with swapaccount=1: a program could use swap beyond its memory'
      : 'enable these cgroup controllers: without them one program can take the whole host',
  };
}

function seccompOf({ securityOptions }: EngineFindings): Diagnosis {
  if (hasOption(securityOptions, 'seccomp')) return ok('seccomp', 'available');
  const advice = 'use a kernel and an engine built with seccomp: without it every system call is open to strangers';
  return { check: 'seccomp', verdict: 'fault', detail: 'the engine has none', advice };
}

function usernsOf({ securityOptions }: EngineFindings): Diagnosis {
  const check = 'userns-remap';
  if (hasOption(securityOptions, 'rootless')) return ok(check, 'the engine is rootless');
  if (hasOption(securityOptions, 'userns')) return ok(check, 'on');
  // Jobs run as a uid that the host does not know, without capabilities: a second wall, not the only one.
  return { check, verdict: 'advice', detail: 'off', advice: 'set "userns-remap" in daemon.json on a host of its own' };
}

const hasOption = (options: readonly string[], name: string): boolean =>
  options.some((option) => option.split(',')[0] === `name=${name}`);

function imagesOf({ images, imagesMissing }: SandboxFindings): Diagnosis {
  const check = 'images';
  if (imagesMissing.length === 0) return ok(check, images.join(', '));
  return {
    check,
    verdict: 'fault',
    detail: `missing: ${imagesMissing.join(', ')}`,
    advice: '`make images` builds them; EXECUTOR_*_IMAGE names them',
  };
}

function isolationOf({ isolation, isNestingRequired }: SandboxFindings): Diagnosis {
  const check = 'isolation';
  if (isolation === 'nested') return ok(check, 'every run has namespaces of its own');
  if (isolation === 'plain') {
    const otherwise = isNestingRequired ? 'nothing is run' : 'every run gets a container of its own, which is slower';
    return {
      check,
      verdict: isNestingRequired ? 'fault' : 'advice',
      detail: `this host refuses nested namespaces: ${otherwise}`,
      advice: 'allow unprivileged user namespaces (kernel.unprivileged_userns_clone, AppArmor’s docker-default)',
    };
  }
  return { check, verdict: 'fault', detail: `no cell ran: ${isolation.failure}`, advice: 'see the engine’s own log' };
}

function kernelMemoryOf({ chargesKernelMemory }: SandboxFindings): Diagnosis {
  const check = 'kernel';
  if (chargesKernelMemory === null) return ok(check, 'nobody can tell whether its memory counts as the cells’');
  if (chargesKernelMemory) return ok(check, 'its memory counts as that of the cell which it is used for');
  return {
    check,
    verdict: 'advice',
    detail: 'its memory counts as nobody’s: programs can take the host’s beyond their limit',
    advice: 'boot without cgroup.memory=nokmem',
  };
}

function memoryOf({ engine, slots, poolSize, memoryMbMax }: SandboxFindings): Diagnosis {
  const check = 'pool';
  const mostMb = slots * memoryMbMax;
  const detail = `${poolSize} cells ready of each image, ${slots} runs at a time`;
  const hostMb = Math.floor(engine.memoryBytes / MIB);
  if (mostMb <= hostMb) return ok(check, detail);
  return {
    check,
    verdict: 'advice',
    detail: `${detail}, which may take ${mostMb} MiB of the host's ${hostMb}`,
    advice: 'lower WORKER_POOL_SIZE or EXECUTOR_MEMORY_MB_MAX',
  };
}

function fairnessOf({ slots, userSlotsMax }: SandboxFindings): Diagnosis {
  const check = 'fairness';
  const detail = `one user has at most ${userSlotsMax} runs at a time, a worker ${slots}`;
  if (userSlotsMax < slots) return ok(check, detail);
  return {
    check,
    verdict: 'advice',
    detail: `${detail}: with one worker, one user can make all others wait`,
    advice: 'set WORKER_MAX_USER_CONCURRENT_TASKS below WORKER_POOL_SIZE times the number of workers',
  };
}
