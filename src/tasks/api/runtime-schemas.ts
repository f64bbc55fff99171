import { z } from 'zod';

const runtimeView = z
  .object({
    name: z.string().describe('Value of `script_type`'),
    aliases: z.array(z.string()).describe('Accepted in place of the name'),
    language: z.string(),
    version: z.string().nullable().describe('Null if it is not known'),
    compiled: z.boolean(),
    image_digest: z
      .string()
      .nullable()
      .describe('Of the image in which programs run now; null if workers differ, or the runtime is not available'),
    file_name: z.string().describe('The script’s name in the working folder'),
    memory_mb_min: z.int32().describe('The least `limits.memory_mb`'),
    pids_min: z.int32().describe('The least `limits.pids`'),
    preloaded: z.boolean().describe('Whether programs are forked from an interpreter that has already started'),
    available: z.boolean().describe('Whether a live worker has its image'),
  })
  .meta({ id: 'Runtime' });
export type RuntimeView = z.output<typeof runtimeView>;

export const runtimeList = z.object({ runtimes: z.array(runtimeView) }).meta({ id: 'RuntimeList' });
export type RuntimeList = z.output<typeof runtimeList>;
