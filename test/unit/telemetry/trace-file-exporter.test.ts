import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

import { TraceFileExporter } from '../../../src/platform/telemetry/trace-file-exporter.js';
import { recordSpans } from '../../support/span-recorder.js';

describe('the trace file', () => {
  const recorded = recordSpans();
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'voidrunner-traces-'))));
  afterAll(() => rm(folder, { recursive: true }));

  function someSpans(): ReadableSpan[] {
    trace.getTracer('test').startSpan('one').end();
    return [...recorded.finished];
  }

  const exportTo = (exporter: TraceFileExporter): Promise<number> =>
    new Promise((resolve) => exporter.export(someSpans(), ({ code }) => resolve(code)));
  const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

  test('and its folder are readable only by their owner', async () => {
    const path = join(folder, 'new', 'traces.jsonl');
    expect(await exportTo(new TraceFileExporter(path))).toBe(0);
    expect([await modeOf(path), await modeOf(join(folder, 'new'))]).toEqual(['600', '700']);
  });

  test('stays so after rotation, also if an earlier version made it', async () => {
    const path = join(folder, 'old.jsonl');
    for (const file of [path, `${path}.1`]) {
      await writeFile(file, 'x'.repeat(100));
      await chmod(file, 0o644);
    }
    expect(await exportTo(new TraceFileExporter(path))).toBe(0);
    expect([await modeOf(path), await modeOf(`${path}.1`)]).toEqual(['600', '600']);
    expect(await exportTo(new TraceFileExporter(path, 10))).toBe(0);
    expect([await modeOf(path), await modeOf(`${path}.1`)]).toEqual(['600', '600']);
  });
});
