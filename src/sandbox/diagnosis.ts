import { knownEscapes } from './known-escapes.js';
import type { PreloadFinding } from './preload-findings.js';
import type { RuntimeFinding } from './runtime-findings.js';

/** The facts about the engine that matter here (Engine API, /info and /version). */
export interface EngineFindings {
  readonly version: string;
  readonly runtime: string;
  /** Null if the engine does not report the runtime's version. */
  readonly runtimeVersion: string | null;
  /** On the engine's host; null if the runtime is not a program there, or the engine does not know it. */
  readonly runtimePath: string | null;
  /** The names of all runtimes that the engine knows. */
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
  /** Result of the self-test in a real cell. */
  readonly isolation: 'nested' | 'plain' | { readonly failure: string };
  /** Whether a real cell is charged for the kernel memory it uses; null if unknown. */
  readonly chargesKernelMemory: boolean | null;
  /** Empty if no cell ran. */
  readonly runtimes: readonly RuntimeFinding[];
  /** Result of a test in a real cell of each; empty: cells preload nothing. */
  readonly preloads: readonly PreloadFinding[];
  readonly isNestingRequired: boolean;
  /** Concurrent runs of one worker, and of one user over all workers. */
  readonly slots: number;
  readonly userSlotsMax: number;
  readonly poolSize: number;
  readonly memoryMbMax: number;
}

/** `fault`: code cannot run, or not safely. `advice`: code can run, but the setup could be improved. */
export type Verdict = 'ok' | 'advice' | 'fault';

export interface Diagnosis {
  readonly check: string;
  readonly verdict: Verdict;
  readonly detail: string;
  readonly advice?: string;
}

const MIB = 1024 * 1024;
/** Alternatives to runc that an engine may know. */
const OTHER_RUNTIMES = ['crun', 'runsc'];

/** One entry per check, in the order in which one would fix them. */
export function diagnose(found: SandboxFindings): readonly Diagnosis[] {
  const { engine } = found;
  return [
    ok('engine', `Docker ${engine.version}, ${engine.cpus} CPUs`),
    ociRuntimeOf(engine),
    limitsOf(engine),
    seccompOf(engine),
    usernsOf(engine),
    isolationOf(found),
    runtimesOf(found),
    preloadOf(found),
    kernelMemoryOf(found),
    memoryOf(found),
    fairnessOf(found),
  ];
}

const ok = (check: string, detail: string): Diagnosis => ({ check, verdict: 'ok', detail });

function ociRuntimeOf({ runtime, runtimeVersion, runtimePath, runtimesKnown }: EngineFindings): Diagnosis {
  const check = 'runtime';
  if (!runtimesKnown.includes(runtime)) {
    return {
      check,
      verdict: 'fault',
      detail: `the engine does not know ${runtime}, only ${runtimesKnown.join(', ')}`,
      advice:
        `add it to dockerd (--add-runtime ${runtime}=/path/to/it, or "runtimes" in daemon.json), ` +
        'or unset EXECUTOR_RUNTIME',
    };
  }
  if (runtimeVersion === null) {
    const where = runtimePath === null ? '' : `${runtimePath}; `;
    return ok(check, `${runtime} (${where}the engine does not report its version)`);
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
      'upgrade runc to 1.2.8, 1.3.3 or newer, unless your distribution fixed this version; or set EXECUTOR_RUNTIME' +
      (others.length === 0 ? '' : ` to another runtime of this engine: ${others.join(', ')}`),
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
      ? 'turn swap off, or boot with swapaccount=1: otherwise a program can use swap beyond its memory limit'
      : 'enable these cgroup controllers: without them one program can take the whole host',
  };
}

function seccompOf({ securityOptions }: EngineFindings): Diagnosis {
  if (hasOption(securityOptions, 'seccomp')) return ok('seccomp', 'available');
  const advice = 'use a kernel and an engine built with seccomp: without it user code can make every system call';
  return { check: 'seccomp', verdict: 'fault', detail: 'the engine does not support it', advice };
}

function usernsOf({ securityOptions }: EngineFindings): Diagnosis {
  const check = 'userns-remap';
  if (hasOption(securityOptions, 'rootless')) return ok(check, 'the engine is rootless');
  if (hasOption(securityOptions, 'userns')) return ok(check, 'on');
  // Jobs already run without capabilities, as a uid that the host does not know: this is a second barrier.
  return { check, verdict: 'advice', detail: 'off', advice: 'set "userns-remap" in daemon.json on a dedicated host' };
}

const hasOption = (options: readonly string[], name: string): boolean =>
  options.some((option) => option.split(',')[0] === `name=${name}`);

/** Only the images of runtimes that are kept ready must exist: the others are built when they are wanted. */
function runtimesOf({ runtimes }: SandboxFindings): Diagnosis {
  const check = 'runtimes';
  const namesOf = (some: readonly RuntimeFinding[]) => some.map(({ runtime }) => runtime).join(', ');
  const works = runtimes.filter(({ state }) => state === 'works');
  const missing = runtimes.filter(({ state }) => state === 'missing');
  const broken = runtimes.flatMap(({ runtime, state }) =>
    typeof state === 'object' ? [`${runtime}: ${state.failure}`] : [],
  );
  const wanted = missing.filter(({ keptReady }) => keptReady);
  const detail = [
    ...(works.length > 0 ? [`${namesOf(works)}: works`] : []),
    ...(missing.length > 0 ? [`${namesOf(missing)}: no image`] : []),
    ...broken,
  ].join('; ');
  if (works.length > 0 && broken.length === 0 && wanted.length === 0) return ok(check, detail);
  return {
    check,
    verdict: 'fault',
    detail: detail || 'none could be tested',
    advice: '`make images RUNTIMES="NAME…"` builds the images; the files in RUNTIMES_DIR name them',
  };
}

function isolationOf({ isolation, isNestingRequired }: SandboxFindings): Diagnosis {
  const check = 'isolation';
  if (isolation === 'nested') return ok(check, 'every run has its own namespaces');
  if (isolation === 'plain') {
    const otherwise = isNestingRequired ? 'nothing can run' : 'every run gets its own container, which is slower';
    return {
      check,
      verdict: isNestingRequired ? 'fault' : 'advice',
      detail: `this host refuses nested namespaces: ${otherwise}`,
      advice: 'allow unprivileged user namespaces (kernel.unprivileged_userns_clone, AppArmor’s docker-default)',
    };
  }
  return { check, verdict: 'fault', detail: `no cell ran: ${isolation.failure}`, advice: 'see the engine’s own log' };
}

function preloadOf({ preloads }: SandboxFindings): Diagnosis {
  const check = 'preload';
  const broken = preloads.filter(({ state }) => state !== 'works').map(({ runtime }) => runtime);
  if (preloads.length === 0) return ok(check, 'off: each run starts its interpreter');
  if (broken.length === 0) return ok(check, `${preloads.map(({ runtime }) => runtime).join(', ')}: works`);
  return {
    check,
    verdict: 'advice',
    detail: `${broken.join(', ')}: the preloaded interpreter does not work; each run starts its own, which is slower`,
    advice: 'build the images again (make images); the log of a worker has the reason',
  };
}

function kernelMemoryOf({ chargesKernelMemory }: SandboxFindings): Diagnosis {
  const check = 'kernel';
  if (chargesKernelMemory === null) return ok(check, 'unknown whether kernel memory is charged to cells');
  if (chargesKernelMemory) return ok(check, 'kernel memory is charged to the cell that uses it');
  return {
    check,
    verdict: 'advice',
    detail: 'kernel memory is charged to no cell: programs can use the host’s memory beyond their limit',
    advice: 'boot without cgroup.memory=nokmem',
  };
}

function memoryOf({ engine, slots, poolSize, memoryMbMax }: SandboxFindings): Diagnosis {
  const check = 'pool';
  const mostMb = slots * memoryMbMax;
  const detail = `${poolSize} ready cells per image, ${slots} concurrent runs`;
  const hostMb = Math.floor(engine.memoryBytes / MIB);
  if (mostMb <= hostMb) return ok(check, detail);
  return {
    check,
    verdict: 'advice',
    detail: `${detail}, which may use ${mostMb} MiB of the host's ${hostMb} MiB`,
    advice: 'lower WORKER_POOL_SIZE or EXECUTOR_MEMORY_MB_MAX',
  };
}

function fairnessOf({ slots, userSlotsMax }: SandboxFindings): Diagnosis {
  const check = 'fairness';
  const detail = `at most ${userSlotsMax} concurrent runs per user, ${slots} per worker`;
  if (userSlotsMax < slots) return ok(check, detail);
  return {
    check,
    verdict: 'advice',
    detail: `${detail}: with one worker, one user can make all others wait`,
    advice: 'set WORKER_MAX_USER_CONCURRENT_TASKS below WORKER_POOL_SIZE times the number of workers',
  };
}
