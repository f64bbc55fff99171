import type { Config } from '../config/load-config.js';
import { BODY_BYTES_MAX, BODY_WITH_INPUT_BYTES_MAX } from '../http/body-parser.js';
import type { DocsOptions } from '../http/docs/openapi-document.js';
import { JSON_DEPTH_MAX } from '../http/validation/storable.js';
import { runLimitsCeilingOf } from './run-limits.js';
import { VERSION } from './version.js';

/** What the API's document says of the whole; of each route its controller says it. */
export const apiDocs = (config: Config): DocsOptions => ({
  title: 'VoidRunner',
  version: VERSION,
  description: `Runs code in hardened containers, and can say afterwards what happened, when, by whom.

To try the routes on this page, register or log in, and put the \`access_token\` of the answer under "Authorize". Every
route has an example; an \`id\` in a path is that of an earlier answer.

Bodies have at most ${BODY_BYTES_MAX} bytes, with an \`input\` ${BODY_WITH_INPUT_BYTES_MAX}, and nest at most ${JSON_DEPTH_MAX} levels
deep. Texts are well-formed Unicode without NUL.`,
  // In the order in which a newcomer meets them; the page shows them so.
  tags: {
    auth: 'Accounts and their sessions',
    tasks: 'What can be run: a script, its limits and its retry policy',
    executions: 'Runs of tasks: by a worker here, or reported from elsewhere',
    'dead letters': 'Runs whose attempts are used up: to be run again, or put away',
    health: 'Whether the service is up, and able to work; for everyone',
  },
  maxima: runLimitsCeilingOf(config).byField,
});
