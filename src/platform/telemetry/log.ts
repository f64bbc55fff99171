import { pino, type Logger } from 'pino';

import { errorFacts } from './error-facts.js';

/** A constant message and facts as fields; never code, output, tokens or passwords. */
export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child'>;

/** The second safeguard for secrets: the first is not to log them. */
export const REDACTED_PATHS = [
  'req.headers.authorization',
  'req.headers.cookie',
  '*.password',
  '*.refresh_token',
  '*.access_token',
  '*.script_content',
  '*.stdin',
];

export const createLog = (options: { level: string; service: string }): Logger =>
  pino({
    level: options.level,
    base: { service: options.service, pid: process.pid },
    redact: REDACTED_PATHS,
    serializers: { err: errorFacts },
    timestamp: pino.stdTimeFunctions.isoTime,
  });

/** For tests and tools that log nothing. */
export const silentLog: Log = pino({ level: 'silent' });
