import type { Runtime, RuntimePreload } from '../runtimes/runtime.js';
import type { CellKind } from './cell-kind.js';

/**
 * An interpreter that is started while its cell has no job. Programs of later jobs are forked from it (ADR 48). All that
 * the code knows about a language.
 */
interface Interpreter {
  /** The arguments of the launcher: the interpreter's program, its name, its arguments. */
  readonly argv: (memoryMb: number, imports: readonly string[]) => readonly string[];
  /** Its processes and threads. The cell gets these in addition to the limit of the task. */
  readonly pids: number;
  /** Variables that the interpreter reads at its start: with one of them set, the program is exec'ed. */
  readonly readsAtStart: RegExp;
}

/** What a cell preloads. */
export interface Preload {
  readonly argv: readonly string[];
  /**
   * Its own pages, measured and rounded up. The cell gets them in addition to the limit of the task: a program shares
   * them at first, and has copied all of them in the end.
   */
  readonly memoryMb: number;
  readonly pids: number;
  /** The variables that it starts with. */
  readonly environment: Readonly<Record<string, string>>;
}

/** With less, an interpreter would be started for seconds, and its cell would wait for it. */
const CPUS_MIN = 0.5;

const FOLDER = '/usr/local/lib/voidrunner/preload';

/** Read by the C library and its loader. */
const LIBC = 'LD_|GLIBC_TUNABLES$|MALLOC_|LC_|LANG|LOCPATH$|TZ';

const INTERPRETERS: Readonly<Record<RuntimePreload['interpreter'], Interpreter>> = {
  python: {
    argv: (_, imports) => ['/usr/bin/python3', 'python3', `${FOLDER}/preload.py`, ...imports],
    pids: 1,
    // HOME has the user's own packages (site.py), PATH the interpreter (getpath.py).
    readsAtStart: new RegExp(`^(?:PYTHON|HOME$|PATH$|${LIBC})`),
  },
  node: {
    argv: (memoryMb) => [
      '/usr/bin/env',
      'env',
      `LD_PRELOAD=${FOLDER}/threads.so`,
      'node',
      `--max-old-space-size=${memoryMb}`,
      // V8 works in the one thread that a fork has. 0 would mean one per CPU.
      '--v8-pool-size=1',
      '--single-threaded',
      '--disable-sigusr1',
      '--expose-internals',
      '--require',
      `${FOLDER}/preload.cjs`,
      '/tmp/work/main.js',
    ],
    // Its own, and two of its platform: a worker, and a timer.
    pids: 3,
    // HOME has modules (Module._initPaths).
    readsAtStart: new RegExp(`^(?:NODE_|HOME$|OPENSSL_|SSL_CERT_|ICU_|UV_|${LIBC})`),
  },
};

/** What a cell of this kind preloads, if anything. */
export function preloadOf({
  preload,
  memoryMb,
  cpus,
  isolation,
}: Pick<CellKind, 'preload' | 'memoryMb' | 'cpus' | 'isolation'>): Preload | undefined {
  if (!preload || isolation !== 'nested' || memoryMb < preload.memory_mb_min || cpus < CPUS_MIN) return undefined;
  const { argv, pids } = INTERPRETERS[preload.interpreter];
  const { imports, memory_mb, environment } = preload;
  return { argv: argv(memoryMb, imports), memoryMb: memory_mb, pids, environment };
}

/**
 * Whether a program with this environment is the same if its interpreter, and the modules that it imports, have started
 * without it. The runtime's own variables are what they started with.
 */
export function canPreload(
  { preload, environment }: Pick<Runtime, 'preload' | 'environment'>,
  env: Readonly<Record<string, string>> = {},
): boolean {
  if (!preload) return true;
  const { readsAtStart } = INTERPRETERS[preload.interpreter];
  return !Object.keys(env).some((name) => readsAtStart.test(name) || Object.hasOwn(environment, name));
}
