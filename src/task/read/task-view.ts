import type { PayloadStore } from '../../kernel/ports/payload-store.js';
import type { TaskRow } from './task-projection.js';

const iso = (time: string | Date): string => new Date(time).toISOString();

/** A task as clients see it: its row, and the script from its payload. Empty where the script has been destroyed. */
export async function taskViewOf(row: TaskRow, payloads: PayloadStore) {
  const { script, ...definition } = row.definition;
  const content = await payloads.get(script);
  return {
    id: row.id,
    user_id: row.owner_id,
    ...definition,
    script_content: content === null ? '' : Buffer.from(content).toString('utf8'),
    status: row.status,
    version: row.definition_version,
    created_at: iso(row.created_at),
    updated_at: iso(row.updated_at),
  };
}
