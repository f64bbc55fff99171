import type { Config } from '../config/load-config.js';
import { BODY_BYTES_MAX, BODY_WITH_INPUT_BYTES_MAX } from '../http/body-parser.js';
import type { DocsOptions } from '../http/docs/openapi-document.js';
import { JSON_NAMES_MAX, JSON_VALUES_MAX, NUMBER_CHARS_MAX } from '../http/validation/json-faults.js';
import { JSON_DEPTH_MAX } from '../http/validation/storable.js';
import type { Runtimes } from '../runtimes/runtimes.js';
import { eventDocs } from './event-docs.js';
import { operatorRulesOf } from './operator-rules.js';
import { VERSION } from './version.js';

/** The OpenAPI document's general part. Each controller documents its own routes. */
export function apiDocs(config: Config, runtimes: Runtimes): DocsOptions {
  const { maximaByField, scriptTypes } = operatorRulesOf(config, runtimes);
  return {
    title: 'VoidRunner',
    version: VERSION,
    description: `VoidRunner runs code in hardened containers and records what happened, when, and who caused it.

To try the routes on this page, register or log in, and enter the \`access_token\` of the response under "Authorize".
Every route has an example. For an \`id\` in a path, use one from an earlier response.

A request body has at most ${BODY_BYTES_MAX} bytes, or ${BODY_WITH_INPUT_BYTES_MAX} on routes with an \`input\` or
\`tests\`. It has at most ${JSON_DEPTH_MAX} levels of nesting, ${JSON_VALUES_MAX} values, ${JSON_NAMES_MAX} members of
one object, and ${NUMBER_CHARS_MAX} characters of one number. Texts are well-formed Unicode without NUL.`,
    // The page shows them in this order: the one in which a newcomer needs them.
    tags: {
      auth: 'Accounts and login sessions',
      keys: 'API keys, for programs. Only a person who has logged in manages them',
      tasks: 'A task is a script with its limits and its retry policy. It can be executed any number of times',
      executions:
        'An execution runs a task, with retries, on a worker of this service or on an external worker that reports it',
      webhooks: 'Where the service sends what happens to your executions (Standard Webhooks, CloudEvents)',
      batches: 'Many executions that are accepted, observed and cancelled together',
      'dead letters':
        'Executions that failed and have no attempts left. They can be redriven (executed again) or discarded',
      runtimes: 'The languages that tasks can be written in. No authentication is needed',
      log: 'Signed checkpoints of the log, by which anyone can prove later that it was changed. No authentication is needed',
      health: 'Whether the service is up and ready. No authentication is needed',
    },
    maxima: maximaByField,
    events: eventDocs(config.NATS_STREAM_PREFIX),
    choices: { script_type: scriptTypes },
  };
}
