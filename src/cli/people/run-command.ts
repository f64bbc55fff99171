import { Command } from 'commander';
import { basename } from 'node:path';

import { print } from '../output.js';
import { readAll, readLocalFile, SCRIPT_BYTES_MAX, utf8Of } from './run/bounded-reading.js';
import { followExecution } from './run/follow-execution.js';
import { Interruption } from './run/interruption.js';
import { type LocalScript, runtimeOf } from './run/language.js';
import {
  type InputArguments,
  inputOf,
  type LimitArguments,
  limitsOf,
  withInputOptions,
  withLimitOptions,
} from './run/run-options.js';
import { standardInput } from './run/standard-input.js';
import { type ServerOption, withServer, withServerOption } from './server/connection.js';
import { showStatus } from './terminal/progress.js';

interface RunArguments extends InputArguments, LimitArguments, ServerOption {
  readonly language?: string;
  readonly name?: string;
  readonly json?: boolean;
  readonly detach?: boolean;
}

/** Of a task. */
const NAME_CHARS_MAX = 255;
/** From here on the request takes a while. */
const LARGE_BYTES_MIN = 1024 ** 2;

const EXAMPLES = `
Examples:
  voidrunner run hello.py
  voidrunner run sum.js -- 1 2 3
  sort words.txt | voidrunner run count.py --timeout 10
  voidrunner run plot.py --file data.csv --output '*.png' --out results
  echo 'puts 6 * 7' | voidrunner run - --language ruby

The exit code is that of the program; 124: time limit; 125: not run; 126: it does not compile; 128+n: signal n.
Ctrl-C cancels the execution; a second one leaves at once.`;

export const runCommand = (): Command =>
  withServerOption(withLimitOptions(withInputOptions(new Command('run'))))
    .argument('<script>', 'a local file; - reads the script from standard input')
    .argument('[args...]', 'arguments of the program; put -- before those that begin with -')
    .option('--language <name>', 'by default from the file’s extension, or its #! line; see "voidrunner runtimes"')
    .option('--name <name>', 'the name of the task; by default that of the file')
    .option('--json', 'instead of the output, print the execution when it has ended')
    .option('--detach', 'print the id of the execution, and do not wait')
    .addHelpText('after', EXAMPLES)
    .action(run);

async function run(path: string, args: readonly string[], options: RunArguments): Promise<void> {
  const script = await readScript(path);
  await withServer(options, async (server) => {
    const interruption = new Interruption();
    const { vr } = server;
    const runtimes = await vr.runtimes.list();
    const { name: language } = runtimeOf(runtimes, script, options.language);
    const input = await inputOf(options, args);
    // What is piped into a detached run goes with it, and is all.
    const stdinOption = options.stdin ?? (options.detach && !process.stdin.isTTY ? '-' : undefined);
    const stdin = await standardInput(
      stdinOption,
      path === '-' || (options.detach === true && stdinOption === undefined),
    );
    const bytes = stdin.first.length + (input.files ?? []).reduce((sum, { content }) => sum + content.length, 0);
    if (bytes >= LARGE_BYTES_MIN) showStatus(`sending ${(bytes / LARGE_BYTES_MIN).toFixed(1)} MiB …`);
    const started = await vr.start(language, script.text, {
      ...input,
      ...limitsOf(options),
      ...(stdin.first.length > 0 && { stdin: stdin.first }),
      ...(stdin.live && { interactive: true }),
      name: options.name ?? (path === '-' ? 'stdin' : basename(path).slice(0, NAME_CHARS_MAX)),
    });
    if (options.detach) {
      print(options.json ? JSON.stringify(started) : started.id);
      process.stdin.destroy();
      return;
    }
    await followExecution(server, started, interruption, { live: stdin.live, out: options.out, json: options.json });
  });
}

async function readScript(path: string): Promise<LocalScript> {
  const bytes =
    path === '-'
      ? await readAll(process.stdin, SCRIPT_BYTES_MAX, 'the script')
      : await readLocalFile(path, SCRIPT_BYTES_MAX);
  return { path, text: utf8Of(bytes, path === '-' ? 'the script' : path) };
}
