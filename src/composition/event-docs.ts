import type { EventDocsOptions } from '../http/docs/asyncapi-document.js';
import { EVENTS_BY_STREAM } from './event-catalog.js';
import examples from './event-examples.json' with { type: 'json' };
import { VERSION } from './version.js';

/** @param prefix of streams and subjects */
export const eventDocs = (prefix: string): EventDocsOptions => ({
  version: VERSION,
  prefix,
  types: EVENTS_BY_STREAM,
  examples,
});
