import { VoidRunner } from '@voidrunner/client';
import type { Command, Option } from 'commander';

import { ignoreErrors } from '../../platform/async/ignore-errors.js';
import { print } from '../output.js';
import { readConfig } from './server/config-file.js';
import { apiKeyOf, serverUrl } from './server/connection.js';

/** A person waits for the answer: no repeats. */
const ANSWER_MS_MAX = 2_000;
const IDS_MAX = 50;

/** Prints what may stand at the cursor, one a line; nothing where the shell itself knows, as for files. */
export async function printCandidates(program: Command, words: readonly string[]): Promise<void> {
  const current = words.at(-1) ?? '';
  const { command, option, operands } = walk(program, words.slice(0, -1));
  const candidates = await candidatesOf(command, option, operands, current);
  for (const candidate of candidates) if (candidate.startsWith(current)) print(candidate);
}

/** Where the cursor is: in which command, behind which option that takes a value, behind how many operands. */
function walk(program: Command, words: readonly string[]) {
  let command = program;
  let option: Option | undefined;
  let operands = 0;
  for (const word of words) {
    if (option) option = undefined;
    else if (word.startsWith('-'))
      option = command.options.find((each) => (each.long === word || each.short === word) && each.required);
    else {
      const sub = command.commands.find((each) => each.name() === word);
      if (sub) command = sub;
      else operands += 1;
    }
  }
  return { command, option, operands };
}

async function candidatesOf(
  command: Command,
  option: Option | undefined,
  operands: number,
  current: string,
): Promise<readonly string[]> {
  if (option) return option.argChoices ?? (option.long === '--language' ? fromServer(languages) : []);
  if (current.startsWith('-')) return [...command.options.flatMap(({ long }) => long ?? []), '--help'];
  if (command.commands.length > 0) return command.commands.map((each) => each.name());
  const argument = command.registeredArguments[operands];
  if (argument?.argChoices) return argument.argChoices;
  if (argument?.name() !== 'id') return [];
  const parent = command.parent?.name();
  if (parent === 'tasks') return fromServer(tasks);
  return parent === 'executions' ? fromServer(executions) : [];
}

const languages = async (vr: VoidRunner) =>
  (await vr.runtimes.list()).flatMap(({ name, aliases }) => [name, ...aliases]);
const tasks = async (vr: VoidRunner) => (await vr.tasks.page({ limit: IDS_MAX, cursor: '' })).tasks.map(({ id }) => id);
const executions = async (vr: VoidRunner) =>
  (await vr.executions.page({ limit: IDS_MAX, cursor: '' })).executions.map(({ id }) => id);

async function fromServer(ask: (vr: VoidRunner) => Promise<readonly string[]>): Promise<readonly string[]> {
  const asked = async () => {
    const config = await readConfig();
    const baseUrl = serverUrl({}, config);
    return ask(new VoidRunner({ baseUrl, apiKey: apiKeyOf(baseUrl, config), maxRetries: 0, timeoutMs: ANSWER_MS_MAX }));
  };
  return (await ignoreErrors(asked(), 'a completion has no place for errors')) ?? [];
}
