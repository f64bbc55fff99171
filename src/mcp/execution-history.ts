import type { HistoryEvent } from '@voidrunner/client';
import { z } from 'zod';

import { EVENT_DATA_CHARS_MAX, HISTORY_EVENTS_MAX } from './limits.js';
import { shortened } from './output-part.js';
import { defineTool } from './tool.js';

const output = z.strictObject({
  events: z.array(z.strictObject({ version: z.int(), time: z.string(), type: z.string(), data: z.string() })),
  next_version: z.int().optional(),
});

export const executionHistory = defineTool({
  name: 'execution_history',
  description: 'Lists what happened to an execution, oldest first.',
  input: z.strictObject({
    execution_id: z.uuid(),
    after_version: z.int().min(0).describe('next_version of the list before').optional(),
  }),
  output,
  annotations: { readOnlyHint: true },
  async call({ execution_id: id, after_version = 0 }, { vr, signal }) {
    const events: HistoryEvent[] = [];
    let hasMore = false;
    for await (const event of vr.executions.events(id, { afterVersion: after_version, signal })) {
      hasMore = events.length === HISTORY_EVENTS_MAX;
      if (hasMore) break;
      events.push(event);
    }
    const last = events.at(-1)?.version;
    const structuredContent = {
      events: events.map(({ version, time, type, data }) => ({
        ...{ version, time, type },
        data: shortened(JSON.stringify(data), EVENT_DATA_CHARS_MAX),
      })),
      ...(hasMore && last !== undefined && { next_version: last }),
    };
    return { content: [{ type: 'text', text: textOf(structuredContent) }], structuredContent };
  },
});

function textOf({ events, next_version }: z.infer<typeof output>): string {
  const lines = events.map(({ version, time, type, data }) => `${version}. ${time} ${type} ${data}`);
  const more = next_version === undefined ? [] : [`There are more events: after_version ${next_version}`];
  return [...lines, ...more].join('\n') || 'No events after this version.';
}
