import type { CellKind } from './cell-kind.js';
import type { ImageName } from './languages.js';

/** An interpreter that is started while its cell has no job. Programs of later jobs are forked from it (ADR 48). */
export interface Preload {
  /** The arguments of the launcher: the interpreter's program, its name, its arguments. */
  readonly argv: (memoryMb: number) => readonly string[];
  /**
   * Its own pages, measured and rounded up. The cell gets them in addition to the limit of the task: a program shares
   * them at first, and has copied all of them in the end.
   */
  readonly memoryMb: number;
  /** Its processes and threads. The cell gets these in addition to the limit of the task. */
  readonly pids: number;
  /** With a smaller memory limit, programs are exec'ed: compared with it, the interpreter's own pages would be many. */
  readonly limitMbMin: number;
  /** Variables that the interpreter reads at its start: with one of them set, the program is exec'ed. */
  readonly readsAtStart: RegExp;
}

type PreloadedKind = Pick<CellKind, 'image' | 'memoryMb' | 'cpus' | 'isolation'>;

/** With less, an interpreter would be started for seconds, and its cell would wait for it. */
const CPUS_MIN = 0.5;

const FOLDER = '/usr/local/lib/voidrunner/preload';

/** Read by the C library and its loader. */
const LIBC = 'LD_|GLIBC_TUNABLES$|MALLOC_|LC_|LANG|LOCPATH$|TZ';

export const PRELOADS: Readonly<Partial<Record<ImageName, Preload>>> = {
  python: {
    argv: () => ['/usr/bin/python3', 'python3', `${FOLDER}/preload.py`],
    memoryMb: 3,
    pids: 1,
    limitMbMin: 16,
    // HOME has the user's own packages (site.py), PATH the interpreter (getpath.py).
    readsAtStart: new RegExp(`^(?:PYTHON|HOME$|PATH$|${LIBC})`),
  },
  javascript: {
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
    memoryMb: 20,
    // Its own, and two of its platform: a worker, and a timer.
    pids: 3,
    limitMbMin: 128,
    // HOME has modules (Module._initPaths).
    readsAtStart: new RegExp(`^(?:NODE_|HOME$|OPENSSL_|SSL_CERT_|ICU_|UV_|${LIBC})`),
  },
};

/** What a cell of this kind preloads, if anything. */
export function preloadOf({ image, memoryMb, cpus, isolation }: PreloadedKind): Preload | undefined {
  const preload = isolation === 'nested' ? PRELOADS[image] : undefined;
  return preload && memoryMb >= preload.limitMbMin && cpus >= CPUS_MIN ? preload : undefined;
}

/** Whether a program with this environment is the same if its interpreter has started without it. */
export const canPreload = (image: ImageName, env: Readonly<Record<string, string>> = {}): boolean =>
  !Object.keys(env).some((name) => PRELOADS[image]?.readsAtStart.test(name));
