import { z } from 'zod';

import { defineTool } from './tool.js';

const runtime = z.strictObject({
  name: z.string(),
  aliases: z.array(z.string()),
  version: z.string().optional(),
  available: z.boolean(),
});

export const listRuntimes = defineTool({
  name: 'list_runtimes',
  description: 'Lists the languages that programs may be written in.',
  input: z.strictObject({}),
  output: z.strictObject({ runtimes: z.array(runtime) }),
  annotations: { readOnlyHint: true },
  async call(_args, { vr, signal }) {
    const runtimes = (await vr.runtimes.list({ signal })).map(({ name, aliases, version, available }) => ({
      name,
      aliases,
      ...(version !== null && { version }),
      available,
    }));
    return { content: [{ type: 'text', text: runtimes.map(lineOf).join('\n') }], structuredContent: { runtimes } };
  },
});

function lineOf({ name, aliases, version, available }: z.infer<typeof runtime>): string {
  const also = aliases.length === 0 ? '' : ` (also ${aliases.join(', ')})`;
  return `${name}${version === undefined ? '' : ` ${version}`}${also}${available ? '' : ': not available now'}`;
}
