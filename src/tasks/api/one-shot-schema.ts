import type { z } from 'zod';

import { executionInput, isInteractiveWithoutTests, WITH_TESTS } from './input-schema.js';
import { createTaskBody } from './task-schemas.js';
import { executionWebhook } from './webhook-schema.js';

export const oneShotBody = createTaskBody
  .safeExtend({ input: executionInput.optional(), webhook: executionWebhook.optional() })
  .refine(isInteractiveWithoutTests, WITH_TESTS)
  .meta({
    id: 'RunOnce',
    example: {
      name: 'Greeting',
      script_type: 'bash',
      script_content: 'echo "Hello $1"',
      input: { args: ['world'] },
    },
  });
export type OneShotBody = z.output<typeof oneShotBody>;
