import { z } from 'zod';

import { optionalText, publicKeys, secretsBase64 } from './setting-types.js';

/** How the log is sealed. */
export const sealerSettings = {
  SEALER_LOG_NAME: z
    .string()
    .regex(/^[^\s+,]{1,128}$/, 'must have 1 to 128 characters, without blanks, plus signs and commas')
    .default('localhost/voidrunner')
    .describe('name of the log in signed checkpoints, such as runner.example.org/log; change it only with the key'),
  SEALER_KEY: secretsBase64(32).describe(
    '32 bytes in base64; signs the checkpoints of the log. While it is replaced: two, comma-separated, and both sign',
  ),
  SEALER_KEY_FILE: optionalText.describe('file that contains what SEALER_KEY would; read when sealing starts'),
  SEALER_KEY_COMMAND: optionalText.describe(
    'shell command that prints what SEALER_KEY would, such as a secret store’s',
  ),
  SEALER_PUBLIC_KEYS: publicKeys.describe(
    'comma-separated public keys that checkpoints may also be signed with: of replaced keys, or of a sealer elsewhere',
  ),
  SEALER_ANCHOR_FILE: optionalText.describe(
    'file to which checkpoints are also appended, at most one in 10 s; keep it where the database’s owner cannot write',
  ),
};
