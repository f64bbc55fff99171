import { Command } from 'commander';
import type { z } from 'zod';

import { SECRET_SETTINGS, settingsSchema } from '../config/settings.js';
import { print } from './output.js';

/** `.env.example` is this command's output; a test checks that. */
export const settingsCommand = (): Command => new Command('settings').action(() => print(settingsText()));

export function settingsText(): string {
  const lines = Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const description = metaOf(schema, 'description');
    const isSecret = (SECRET_SETTINGS as readonly string[]).includes(name);
    const value = isSecret ? '' : `${defaultOf(schema)}${metaOf(schema, 'unit') ?? ''}`;
    return `${description === undefined ? '' : `# ${description}\n`}# ${name}=${value}`;
  });
  return ['# Settings and their defaults. Durations: 250ms, 15s, 10m, 24h, 30d.', ...lines].join('\n\n');
}

/** From the schema, or from the schema inside a default or an optional. */
function metaOf(schema: z.ZodType, key: 'description' | 'unit'): string | undefined {
  const { innerType } = schema.def as unknown as { innerType?: z.ZodType };
  return (schema.meta()?.[key] as string | undefined) ?? (innerType && metaOf(innerType, key));
}

function defaultOf(schema: z.ZodType): string {
  const parsed = schema.safeParse(undefined);
  const value = parsed.success ? (parsed.data as string | number | boolean | string[] | undefined) : undefined;
  return value === undefined ? '' : String(value);
}
