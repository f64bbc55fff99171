import { constants } from 'node:os';

/** Its number on this system, which is that of the sandbox; null for an unknown name. */
export const signalNumber = (name: string): number | null =>
  (constants.signals as Readonly<Record<string, number | undefined>>)[name] ?? null;

/** The messages of isolate, the sandbox of both services. */
export const exitMessage = (code: number): string => `Exited with error status ${code}`;
export const signalMessage = (name: string): string => `Caught fatal signal ${signalNumber(name) ?? name}`;
export const WALL_TIME_MESSAGE = 'Time limit exceeded (wall clock)';
export const CPU_TIME_MESSAGE = 'Time limit exceeded';
