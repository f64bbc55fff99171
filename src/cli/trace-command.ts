import { readFile } from 'node:fs/promises';

import { Command } from 'commander';

import { loadConfig } from '../config/load-config.js';
import { streamName, type StreamRef } from '../event-sourcing/core/event.js';
import { ifMissing } from '../platform/telemetry/missing-file.js';
import { traceIdOf } from '../platform/telemetry/trace-context.js';
import { renderTrace, spansOf } from '../platform/telemetry/trace-tree.js';
import { withLog } from './cli-context.js';
import { EXIT_FAULTS } from './exit-codes.js';
import { print, warn } from './output.js';
import { streamArgument } from './stream-argument.js';

export const traceCommand = (): Command =>
  new Command('trace')
    .argument('<trace>', 'a trace id, or task-<uuid>, execution-<uuid>, batch-<uuid>, user-<uuid>', traceArgument)
    .action(async (trace: string | StreamRef) => {
      const { OTEL_TRACES_FILE: file } = loadConfig();
      const traceId = typeof trace === 'string' ? trace : await traceOfStream(trace);
      if (file === undefined) return fail('OTEL_TRACES_FILE is not set: use your trace viewer instead');
      if (traceId === undefined) return fail('no trace was recorded');
      const texts = await Promise.all([`${file}.1`, file].map((path) => readFile(path, 'utf8').catch(ifMissing(''))));
      const spans = spansOf(texts.join('\n'), traceId);
      if (spans.length === 0) return fail(`${traceId}: no spans in ${file}`);
      print(renderTrace(spans));
    });

const traceArgument = (text: string): string | StreamRef => (/^[0-9a-f]{32}$/.test(text) ? text : streamArgument(text));

const traceOfStream = (stream: StreamRef): Promise<string | undefined> =>
  withLog(async ({ store }) => {
    const [first] = await store.readStream(stream, { limit: 1 });
    if (!first) warn(`${streamName(stream)}: no such stream`);
    return traceIdOf(first?.metadata.traceparent);
  });

function fail(text: string): void {
  warn(text);
  process.exitCode = EXIT_FAULTS;
}
