import { z } from 'zod';

import { DEFAULT_LIMITS } from './default-limits.js';

/** What the placeholders of a command stand for. */
export interface CommandValues {
  /** The file that the compiler makes; elsewhere for the compiler than for `run`. */
  readonly program: string;
  readonly memory_mb: number;
  /** Rounded up. */
  readonly cpus: number;
}

const PLACEHOLDERS = ['program', 'memory_mb', 'cpus'] as const satisfies readonly (keyof CommandValues)[];

export const RUNTIME_NAME_CHARS_MAX = 32;
/** Of runtimes and their aliases. */
export const RUNTIME_NAME = /^[a-z][a-z0-9+_-]{0,31}$/;
const ALIASES_MAX = 16;
const ARGUMENTS_MAX = 64;
/** No runtime can have a lower limit. */
export const MEMORY_MB_LEAST = 16;
export const PIDS_LEAST = 16;

const runtimeName = z
  .string()
  .regex(RUNTIME_NAME, 'must be a lower-case letter, then up to 31 of: lower-case letters, digits, +, _ and -');

const unknownPlaceholder = (argument: string): string | undefined =>
  [...argument.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!).find((name) => !isPlaceholder(name));

const isPlaceholder = (name: string): name is keyof CommandValues => (PLACEHOLDERS as readonly string[]).includes(name);

const argument = z
  .string()
  .min(1)
  .refine((text) => unknownPlaceholder(text) === undefined, {
    message: `has an unknown placeholder; there are ${PLACEHOLDERS.map((name) => `{${name}}`).join(', ')}`,
  });

const command = z.array(argument).min(1).max(ARGUMENTS_MAX);

const compiler = z.strictObject({
  command,
  /** Of the compiler, whatever the task's are. */
  limits: z
    .strictObject({
      memory_mb: z.int().min(MEMORY_MB_LEAST).default(DEFAULT_LIMITS.memory_mb),
      cpus: z.number().min(0.1).max(64).default(DEFAULT_LIMITS.cpus),
      pids: z.int().min(PIDS_LEAST).default(DEFAULT_LIMITS.pids),
    })
    .default(DEFAULT_LIMITS),
  timeout_seconds: z.int().min(1).max(3_600).default(60),
});

const fileName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^/\0]+$/, 'must be a name without a folder')
  .refine((name) => name !== '.' && name !== '..', { message: 'must be the name of a file' });

/** An interpreter that is started ahead of its programs (ADR 48). */
const preload = z.strictObject({
  interpreter: z.enum(['python', 'node']),
  /** Python modules that it imports before any program. */
  imports: z
    .array(z.string().regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, 'must be the name of a Python module'))
    .max(32)
    .default([]),
  /** Memory of the interpreter's own pages, which its container gets beside the program's limit. */
  memory_mb: z.int().min(1).max(1_024),
  /** With a smaller limit, programs start their own interpreter. */
  memory_mb_min: z.int().min(MEMORY_MB_LEAST),
});
/** `environment`: that of the runtime, in which the interpreter starts. */
export type RuntimePreload = Readonly<z.output<typeof preload> & { environment: Readonly<Record<string, string>> }>;

/**
 * One runtime: how the programs of a `script_type` are compiled and run, and in which image. Declared in a file of the
 * folder `runtimes` (docs/runtimes.md); all names are those of the file.
 */
const declared = z.strictObject({
  name: runtimeName,
  aliases: z.array(runtimeName).max(ALIASES_MAX).default([]),
  /** As people write it: "C++". */
  language: z.string().min(1).max(64),
  image: z.string().min(1),
  /** Its first line of output that is not empty is the runtime's version. */
  version_command: z.array(z.string().min(1)).min(1).max(ARGUMENTS_MAX),
  /** The script's name in the working folder. */
  file_name: fileName,
  /** Makes the file {program} from the files of the working folder, in a job of its own. */
  compile: compiler.optional(),
  /** The arguments of the execution follow. */
  run: command,
  environment: z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'must be the name of a variable'), z.string()).default({}),
  limits: z.strictObject({
    /** The least that a program of the runtime needs. */
    memory_mb_min: z.int().min(MEMORY_MB_LEAST),
    pids_min: z.int().min(PIDS_LEAST),
    /** Size of /tmp, the only writable folder. */
    tmp_mb: z.int().min(16).max(4_096),
  }),
  /** `unix`: a script with a byte order mark or Windows line ends is converted, since the interpreter takes neither. */
  line_ends: z.enum(['any', 'unix']).default('any'),
  preload: preload.optional(),
  /** Whether workers keep containers of its image ready (EXECUTOR_POOL_SIZE). */
  keep_ready: z.boolean().default(false),
  /** A program that shows whether the runtime works, and all that it prints. */
  smoke: z.strictObject({ script: z.string().min(1), stdout: z.string().min(1) }),
});
export const runtimeFile = declared.transform(({ preload: declaredPreload, ...runtime }) => ({
  ...runtime,
  ...(declaredPreload && {
    preload: { ...declaredPreload, environment: runtime.environment } satisfies RuntimePreload,
  }),
}));
export type Runtime = Readonly<z.output<typeof runtimeFile>>;

/** The command with its placeholders replaced. */
export const commandOf = (words: readonly string[], values: CommandValues): string[] =>
  words.map((word) =>
    word.replaceAll(/\{(\w+)\}/g, (text, name: string) => (isPlaceholder(name) ? String(values[name]) : text)),
  );

/** The least limits of a runtime's programs. */
export const floorOf = ({ limits }: Runtime) => ({ memory_mb: limits.memory_mb_min, pids: limits.pids_min });

/** The index of the first file that has the script's path, or needs a folder of that name; -1 if there is none. */
export const fileAtScriptPath = ({ file_name }: Pick<Runtime, 'file_name'>, paths: readonly string[]): number =>
  paths.findIndex((path) => path === file_name || path.startsWith(`${file_name}/`));
