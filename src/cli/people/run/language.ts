import { extname } from 'node:path';

import type { Runtime } from '@voidrunner/client';

import { Failure } from '../../failure.js';

export interface LocalScript {
  /** `-`: standard input. */
  readonly path: string;
  readonly text: string;
}

/** The runtime of a script: as asked for, else by the extension of its file, else by its `#!` line. */
export function runtimeOf(runtimes: readonly Runtime[], script: LocalScript, language: string | undefined): Runtime {
  if (language !== undefined) {
    return named(runtimes, language) ?? fail(`the server has no language "${language}"`, runtimes);
  }
  const extension = extname(script.path).slice(1);
  const interpreter = interpreterOf(script.text);
  return (
    (extension === '' ? undefined : (named(runtimes, extension) ?? withExtension(runtimes, extension))) ??
    (interpreter === null ? undefined : (named(runtimes, interpreter) ?? unversioned(runtimes, interpreter))) ??
    fail(`the language of ${script.path === '-' ? 'the script' : script.path} is not clear: use --language`, runtimes)
  );
}

function named(runtimes: readonly Runtime[], name: string): Runtime | undefined {
  const wanted = name.toLowerCase();
  return runtimes.find((runtime) => runtime.name === wanted || runtime.aliases.includes(wanted));
}

/** If several runtimes have the extension, such as python and python-data, the one with the shortest name. */
const withExtension = (runtimes: readonly Runtime[], extension: string): Runtime | undefined =>
  runtimes
    .filter(({ file_name }) => extname(file_name).slice(1).toLowerCase() === extension.toLowerCase())
    .reduce<Runtime | undefined>(
      (best, each) => (best && best.name.length <= each.name.length ? best : each),
      undefined,
    );

/** `python3.13` is `python`. */
const unversioned = (runtimes: readonly Runtime[], interpreter: string): Runtime | undefined =>
  named(runtimes, interpreter.replace(/[\d.]+$/, ''));

/** `#!/usr/bin/env -S python3 -u` and `#!/bin/bash`. */
function interpreterOf(text: string): string | null {
  const [command = '', ...args] = (/^#!\s*(.*)/.exec(text)?.[1] ?? '').split(/\s+/);
  const name = command.endsWith('/env') ? args.find((arg) => !arg.startsWith('-') && !arg.includes('=')) : command;
  return name?.split('/').at(-1) || null;
}

function fail(what: string, runtimes: readonly Runtime[]): never {
  const names = runtimes.map(({ name }) => name).toSorted();
  throw new Failure(`${what}; there are ${names.join(', ')}`);
}
