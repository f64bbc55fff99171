import { EXIT_UNABLE } from './exit-codes.js';

/** Ends a command with one line on standard error, which says what to do. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT_UNABLE,
  ) {
    super(message);
    this.name = 'Failure';
  }
}
