import type { SandboxLimits, ScriptType } from '../../kernel/ports/sandbox.js';

export type ImageName = 'python' | 'javascript' | 'bash' | 'go';

export interface Language {
  readonly image: ImageName;
  /** The script's name in the working folder. */
  readonly scriptFile: string;
  readonly argv: (args: readonly string[], limits: SandboxLimits) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly tmpSizeMb: number;
  /** What the language's own tools need, whatever the task asked for: below it no program at all would run. */
  readonly pidsMin: number;
  /** Measured: node starts in 16 MB and strips types in 24, go links "hello" in 64, and python and bash run in 16. */
  readonly memoryMbMin: number;
}

/**
 * V8 would abort (SIGABRT) at a fraction of the container's memory; as large as the container, the kernel decides,
 * and a program that wants too much ends as out_of_memory in every language.
 */
const heapOf = (limits: SandboxLimits): string => `--max-old-space-size=${limits.memory_mb}`;

/** `go mod init` writes the toolchain's own version, without which generics would be refused. */
const BUILD_AND_RUN_GO =
  '[ -f go.mod ] || go mod init task 2>/dev/null; go build -ldflags="-s -w" -o /tmp/.program . && exec /tmp/.program "$@"';

/** In the image (infra/images/javascript). */
const TYPESCRIPT_LOADER = '/usr/local/lib/voidrunner/typescript/typescript.cjs';

const javascript = {
  image: 'javascript',
  env: {},
  tmpSizeMb: 64,
  pidsMin: 0,
  memoryMbMin: 32,
} as const;

export const LANGUAGES: Readonly<Record<ScriptType, Language>> = {
  python: {
    image: 'python',
    scriptFile: 'main.py',
    argv: (args) => ['python3', 'main.py', ...args],
    env: { PYTHONDONTWRITEBYTECODE: '1' },
    tmpSizeMb: 64,
    pidsMin: 0,
    memoryMbMin: 16,
  },
  javascript: {
    ...javascript,
    scriptFile: 'main.js',
    // The warning says that a module without package.json is parsed twice: ours to decide, not the user's.
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
    env: {},
    tmpSizeMb: 64,
    pidsMin: 0,
    memoryMbMin: 16,
  },
  go: {
    image: 'go',
    scriptFile: 'main.go',
    argv: (args) => ['/bin/sh', '-c', BUILD_AND_RUN_GO, 'main', ...args],
    env: { GOPATH: '/tmp/go', GOFLAGS: '-buildvcs=false', GOPROXY: 'off', GOTOOLCHAIN: 'local' },
    tmpSizeMb: 192,
    pidsMin: 128,
    memoryMbMin: 64,
  },
};
