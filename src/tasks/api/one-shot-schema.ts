import type { z } from 'zod';

import { executionInput } from './input-schema.js';
import { createTaskBody } from './task-schemas.js';

export const oneShotBody = createTaskBody.safeExtend({ input: executionInput.optional() }).meta({
  id: 'RunOnce',
  example: {
    name: 'Greeting',
    script_type: 'bash',
    script_content: 'echo "Hello $1"',
    input: { args: ['world'] },
  },
});
export type OneShotBody = z.output<typeof oneShotBody>;
