import type { PayloadStore } from '../../platform/payloads/payload-store.js';
import type { TaskRow } from './task-projection.js';

const iso = (time: string | Date): string => new Date(time).toISOString();

/**
 * A task as clients see it: its row, and the script from its payload, empty if it has been destroyed.
 * @param known the script, if the caller has it: to read and decrypt it takes a quarter of the CPU time of a GET
 */
export async function taskViewOf(row: TaskRow, payloads: PayloadStore, known?: string) {
  const { script, limits, ...definition } = row.definition;
  return {
    id: row.id,
    user_id: row.owner_id,
    ...definition,
    limits: { ...limits, cpu_time_seconds: limits.cpu_time_seconds ?? null, output_bytes: limits.output_bytes ?? null },
    script_content: known ?? textOf(await payloads.get(script)),
    status: row.status,
    version: row.definition_version,
    created_at: iso(row.created_at),
    updated_at: iso(row.updated_at),
  };
}

const textOf = (content: Uint8Array | null): string => (content === null ? '' : Buffer.from(content).toString('utf8'));
