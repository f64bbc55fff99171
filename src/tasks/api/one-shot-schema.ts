import type { z } from 'zod';

import { executionInput, refuseFileInScriptPlace } from './input-schema.js';
import { createTaskBody } from './task-schemas.js';

export const runOnceBody = createTaskBody
  .extend({ input: executionInput.optional() })
  .superRefine(refuseFileInScriptPlace)
  .meta({
    id: 'RunOnce',
    example: {
      name: 'Greeting',
      script_type: 'bash',
      script_content: 'echo "Hello $1"',
      input: { args: ['world'] },
    },
  });
export type RunOnceBody = z.output<typeof runOnceBody>;
