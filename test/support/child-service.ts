import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const START_TIMEOUT_MS = 60_000;

/** A process of the service, started as an operator starts it: telemetry first, then main. */
export interface ChildService {
  readonly pid: number;
  /** The API's base URL; null without the API role. */
  readonly url: string | null;
  /** Ends the process and waits until it has exited. @returns its exit code, null after SIGKILL */
  end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

interface LogLine {
  readonly msg: string;
  readonly url?: string | null;
}

export interface ChildOptions {
  readonly logLevel?: 'trace' | 'info';
  /** Modules that Node loads before the service. */
  readonly imports?: readonly string[];
  /** Called with each line that the process writes, to its log or elsewhere. */
  readonly onLine?: (line: string) => void;
}

export async function startChildService(
  env: NodeJS.ProcessEnv,
  { logLevel = 'info', imports = [], onLine = () => undefined }: ChildOptions = {},
): Promise<ChildService> {
  const imported = [...imports, './dist/telemetry.js'].flatMap((module) => ['--import', module]);
  const child = spawn(process.execPath, [...imported, 'dist/main.js'], {
    // NODE_OPTIONS are jest's own.
    env: { ...env, LOG_LEVEL: logLevel, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
  const started = await startedLine(child);
  return {
    pid: child.pid!,
    url: started.url ?? null,
    async end(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        await once(child, 'exit');
      }
      return child.exitCode;
    },
  };
}

/** Keeps reading after that line: a full pipe would stop the process. */
async function startedLine(child: ChildProcess): Promise<LogLine> {
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const lines = createInterface({ input: child.stdout! });
  const late = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the service ended with ${code} before it had started: ${errors}`)));
    lines.on('line', (text) => {
      const line = parsed(text);
      if (line?.msg !== 'started') return;
      clearTimeout(late);
      resolve(line);
    });
  });
}

function parsed(text: string): LogLine | null {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return null;
  }
}
