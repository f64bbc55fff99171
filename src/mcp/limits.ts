/** Of stdout, and of stderr, in a result: half from its beginning, half from its end. And of one part that is read. */
export const OUTPUT_BYTES_MAX = 16 * 1024;
/** What a compiler or one test wrote, in a result. */
export const SHORT_OUTPUT_CHARS_MAX = 2_000;
/** Images that a result contains; further ones, and larger ones, are links. */
export const IMAGES_MAX = 4;
export const IMAGE_BYTES_MAX = 1024 ** 2;
/** Links to files in a result. */
export const LINKS_MAX = 32;
/** A file that is read as a resource. */
export const RESOURCE_BYTES_MAX = 4 * 1024 ** 2;
/** Tool calls and reads of resources of a session that run at the same time. */
export const CONCURRENT_CALLS_MAX = 8;
/** Notifications of progress about output and tests come no closer together. */
export const PROGRESS_INTERVAL_MS_MIN = 200;
/** Of a run whose caller names no timeout: clients do not wait as long as the API's default of five minutes. */
export const TIMEOUT_SECONDS_DEFAULT = 60;
/** Input files of a run, and tests; the API has further limits. */
export const FILES_MAX = 64;
export const TESTS_MAX = 100;
/** Patterns of files to return, as in the API. */
export const PATTERNS_MAX = 16;
export const HISTORY_EVENTS_MAX = 100;
/** Of the data of one event. */
export const EVENT_DATA_CHARS_MAX = 300;
/** Faults of arguments in an error. */
export const FAULTS_MAX = 10;
/** Repeats of a request after a temporary failure. The caller of a tool can repeat it, too. */
export const RETRIES_MAX = 2;
/** A message on standard input. The API takes 24 MiB. */
export const STDIO_MESSAGE_BYTES_MAX = 24 * 1024 ** 2;
/** Cancellations of executions, when a session has ended. */
export const CANCEL_MS_MAX = 5_000;
