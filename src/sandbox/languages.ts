import type { SandboxLimits, ScriptType } from './sandbox.js';

export type ImageName = 'python' | 'javascript' | 'bash' | 'go';

export interface Language {
  readonly image: ImageName;
  /** The script's name in the working folder. */
  readonly scriptFile: string;
  /** Compiles the program in the working folder, before `argv` runs; undefined if there is nothing to compile. */
  readonly compile?: (limits: SandboxLimits) => readonly string[];
  readonly argv: (args: readonly string[], limits: SandboxLimits) => readonly string[];
  /** Converts the script for the interpreter. Default: unchanged. */
  readonly prepare?: (script: Uint8Array) => Uint8Array;
  readonly env: Readonly<Record<string, string>>;
  readonly tmpSizeMb: number;
}

/**
 * By default V8 aborts (SIGABRT) at a fraction of the container's memory. With a heap limit equal to that memory, the
 * kernel enforces the limit, and a program that exceeds it ends as out_of_memory in every language.
 */
const heapOf = (limits: SandboxLimits): string => `--max-old-space-size=${limits.memory_mb}`;

const GO_PROGRAM = '/tmp/.program';

/** In the image (infra/images/go). */
const BUILD_GO = '/usr/local/lib/voidrunner/build-go';
const GO_BUILD_THREADS_MAX = 4;
/** One per CPU of the job, not of the host: otherwise a build takes more processes and memory on a larger host. */
const goBuildThreads = ({ cpus }: SandboxLimits): number => Math.min(Math.ceil(cpus), GO_BUILD_THREADS_MAX);

/** In the image (infra/images/javascript). */
const TYPESCRIPT_LOADER = '/usr/local/lib/voidrunner/typescript/typescript.cjs';

const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/**
 * Only bash treats a byte order mark and the \r of Windows line ends as part of a command. A file whose first line ends
 * in \r\n comes from Windows; in any other file, \r\n is there on purpose.
 */
export function withUnixLineEnds(script: Uint8Array): Uint8Array {
  const bytes = Buffer.from(script.buffer, script.byteOffset, script.byteLength);
  const text = bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    ? bytes.subarray(BYTE_ORDER_MARK.length)
    : bytes;
  if (text[text.indexOf('\n') - 1] !== 0x0d) return text;
  return Buffer.from(text.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
}

const javascript = {
  image: 'javascript',
  env: {},
  tmpSizeMb: 64,
} as const;

export const LANGUAGES: Readonly<Record<ScriptType, Language>> = {
  python: {
    image: 'python',
    scriptFile: 'main.py',
    argv: (args) => ['python3', 'main.py', ...args],
    env: { PYTHONDONTWRITEBYTECODE: '1' },
    tmpSizeMb: 64,
  },
  javascript: {
    ...javascript,
    scriptFile: 'main.js',
    // The warning says that a module without package.json is parsed twice. The user cannot change that.
    argv: (args, limits) => [
      'node',
      heapOf(limits),
      '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
      'main.js',
      ...args,
    ],
  },
  typescript: {
    ...javascript,
    scriptFile: 'main.ts',
    argv: (args, limits) => [
      'node',
      heapOf(limits),
      '--enable-source-maps',
      '--disable-warning=ExperimentalWarning',
      `--require=${TYPESCRIPT_LOADER}`,
      'main.ts',
      ...args,
    ],
  },
  bash: {
    image: 'bash',
    scriptFile: 'main.sh',
    argv: (args) => ['bash', 'main.sh', ...args],
    prepare: withUnixLineEnds,
    env: {},
    tmpSizeMb: 64,
  },
  go: {
    image: 'go',
    scriptFile: 'main.go',
    compile: (limits) => [BUILD_GO, GO_PROGRAM, String(goBuildThreads(limits))],
    argv: (args) => [GO_PROGRAM, ...args],
    // As in the image: its build cache is valid only for these values.
    env: {
      GOPATH: '/tmp/go',
      GOCACHE: '/usr/local/lib/voidrunner/go-cache',
      GOFLAGS: '-buildvcs=false',
      GOPROXY: 'off',
      GOSUMDB: 'off',
      GOTOOLCHAIN: 'local',
      CGO_ENABLED: '0',
    },
    tmpSizeMb: 192,
  },
};

/** The index of the first file that has the script's path, or needs a folder of that name; -1 if there is none. */
export function fileAtScriptPath(scriptType: ScriptType, paths: readonly string[]): number {
  const { scriptFile } = LANGUAGES[scriptType];
  return paths.findIndex((path) => path === scriptFile || path.startsWith(`${scriptFile}/`));
}
