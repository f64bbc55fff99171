import { writeFile } from 'node:fs/promises';

import { API_TYPES_FILE, makeApiTypes } from './api-types.js';

await writeFile(API_TYPES_FILE, await makeApiTypes());
