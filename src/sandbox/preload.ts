import type { ImageName } from './languages.js';

/** An interpreter that is started with the cell, and from which the programs of its jobs are forked (ADR 48). */
export interface Preload {
  /** The arguments of the launcher: the interpreter's program, its name, its arguments. */
  readonly argv: (memoryMb: number) => readonly string[];
  /** What it occupies, measured and rounded up. The cell gets this in addition to the limit of the task. */
  readonly memoryMb: number;
  /** Variables that the interpreter reads at its start: with one of them set, the program is exec'ed. */
  readonly readsAtStart: RegExp;
}

const FOLDER = '/usr/local/lib/voidrunner/preload';

/** Read by the C library and its loader. */
const LIBC = 'LD_|GLIBC_TUNABLES$|MALLOC_|LC_|LANG|LOCPATH$|TZ';

export const PRELOADS: Readonly<Partial<Record<ImageName, Preload>>> = {
  python: {
    argv: () => ['/usr/bin/python3', 'python3', `${FOLDER}/preload.py`],
    memoryMb: 8,
    // HOME has the user's own packages (site.py).
    readsAtStart: new RegExp(`^(?:PYTHON|HOME$|${LIBC})`),
  },
  javascript: {
    argv: (memoryMb) => [
      '/usr/bin/env',
      'env',
      `LD_PRELOAD=${FOLDER}/threads.so`,
      'node',
      `--max-old-space-size=${memoryMb}`,
      '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
      // V8 works in the one thread that a fork has. 0 would mean one per CPU.
      '--v8-pool-size=1',
      '--single-threaded',
      '--disable-sigusr1',
      '--expose-internals',
      '--require',
      `${FOLDER}/preload.cjs`,
      '/tmp/work/main.js',
    ],
    memoryMb: 48,
    readsAtStart: new RegExp(`^(?:NODE_|OPENSSL_|SSL_CERT_|ICU_|UV_|${LIBC})`),
  },
};

export const canPreload = (image: ImageName, env: Readonly<Record<string, string>> = {}): boolean => {
  const preload = PRELOADS[image];
  return preload !== undefined && !Object.keys(env).some((name) => preload.readsAtStart.test(name));
};
