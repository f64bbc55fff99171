import type { SandboxLimits, ScriptType } from '../../kernel/ports/sandbox.js';

export type ImageName = 'python' | 'javascript' | 'bash' | 'go';

export interface Language {
  readonly image: ImageName;
  /** The script's name in the working folder. */
  readonly scriptFile: string;
  /** Makes the program, in the working folder and before `argv` is run; undefined where there is nothing to make. */
  readonly compile?: (limits: SandboxLimits) => readonly string[];
  readonly argv: (args: readonly string[], limits: SandboxLimits) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly tmpSizeMb: number;
}

/**
 * V8 would abort (SIGABRT) at a fraction of the container's memory; as large as the container, the kernel decides,
 * and a program that wants too much ends as out_of_memory in every language.
 */
const heapOf = (limits: SandboxLimits): string => `--max-old-space-size=${limits.memory_mb}`;

const GO_PROGRAM = '/tmp/.program';

/** `go mod init` writes the toolchain's own version, without which generics would be refused. */
const buildGo = (limits: SandboxLimits): string =>
  `[ -f go.mod ] || go mod init task 2>/dev/null; ` +
  `GOMAXPROCS=${goBuildThreads(limits)} go build -p 1 -ldflags="-s -w" -o ${GO_PROGRAM} .`;

/** As many as its CPUs, not the host's: else a build takes more processes, and memory, the larger the host is. */
const goBuildThreads = ({ cpus }: SandboxLimits): number => Math.min(Math.ceil(cpus), GO_BUILD_THREADS_MAX);

const GO_BUILD_THREADS_MAX = 4;

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
    // Unbuffered: what was printed before a kill is not lost in the interpreter.
    env: { PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' },
    tmpSizeMb: 64,
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
      '--experimental-transform-types',
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
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
  },
  go: {
    image: 'go',
    scriptFile: 'main.go',
    compile: (limits) => ['/bin/sh', '-c', buildGo(limits)],
    argv: (args) => [GO_PROGRAM, ...args],
    env: { GOPATH: '/tmp/go', GOFLAGS: '-buildvcs=false', GOPROXY: 'off', GOTOOLCHAIN: 'local' },
    tmpSizeMb: 192,
  },
};
