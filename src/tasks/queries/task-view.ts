import { isUtf8 } from 'node:buffer';

import type { PayloadStore } from '../../platform/payloads/payload-store.js';
import type { TestCase, TestSuite } from '../domain/test-suite.js';
import type { TaskRow } from './task-projection.js';

const iso = (time: string | Date): string => new Date(time).toISOString();

/**
 * A task as clients see it: its row, and the script from its payload, empty if it has been destroyed.
 * @param known.script if the caller has it: to read and decrypt it takes a quarter of the CPU time of a GET
 * @param known.suite absent in lists, and null if it has been destroyed
 */
export async function taskViewOf(
  row: TaskRow,
  payloads: PayloadStore,
  known: { readonly script?: string | undefined; readonly suite?: TestSuite | null } = {},
) {
  const { script, limits, suite, ...definition } = row.definition;
  return {
    id: row.id,
    user_id: row.owner_id,
    ...definition,
    limits: { ...limits, cpu_time_seconds: limits.cpu_time_seconds ?? null, output_bytes: limits.output_bytes ?? null },
    script_content: known.script ?? textOf(await payloads.get(script)),
    test_count: suite?.tests ?? 0,
    tests: known.suite?.tests.map(testView) ?? null,
    judge: known.suite?.judge ?? null,
    status: row.status,
    version: row.definition_version,
    created_at: iso(row.created_at),
    updated_at: iso(row.updated_at),
  };
}

const textOf = (content: Uint8Array | null): string => (content === null ? '' : bytesText(content));

const viewOf = (content: Uint8Array): Buffer => Buffer.from(content.buffer, content.byteOffset, content.byteLength);

const bytesText = (content: Uint8Array): string => viewOf(content).toString('utf8');

/** A test as it was sent. A file that is no text comes in base64. */
const testView = ({ name, stdin, files, expected_stdout, ...others }: TestCase) => ({
  ...(name !== null && { name }),
  ...others,
  ...(stdin && { stdin: bytesText(stdin) }),
  ...(files && {
    files: files.map(({ path, content }) => {
      const encoding = isUtf8(content) ? 'utf8' : 'base64';
      return { path, content: viewOf(content).toString(encoding), encoding };
    }),
  }),
  ...(expected_stdout && { expected_stdout: bytesText(expected_stdout) }),
});
