/** A refusal: the request was understood and rejected. Mapped to an HTTP status once, at the edge. */
export class DomainError extends Error {
  constructor(
    /** Stable, machine-readable: `task_not_found`, `execution_already_ended`, … */
    readonly code: string,
    message: string,
    /** What the caller may do about it; decides the HTTP status. */
    readonly kind:
      | 'invalid'
      | 'unauthorized'
      | 'forbidden'
      | 'not_found'
      | 'conflict'
      | 'precondition_failed'
      | 'too_many' = 'conflict',
    readonly details?: Readonly<Record<string, unknown>>,
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** One invalid field of a request, as it is shown to clients. */
export interface FieldFault {
  readonly field: string;
  /** Shortened, and never a secret. */
  readonly value: string;
  /** Machine-readable: required, type, min, max, oneof, unknown, email, … */
  readonly tag: string;
  readonly message: string;
}

/** A refusal that lists the invalid fields. All code that finds an invalid field throws this error. */
export class InvalidFields extends DomainError {
  constructor(readonly fields: readonly FieldFault[]) {
    super('validation_failed', 'Validation failed', 'invalid');
  }
}

/** An outage of a dependency. The request itself may be valid, and may be repeated. */
export class Unavailable extends Error {
  constructor(
    readonly dependency: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'Unavailable';
  }
}

/** Another writer appended to the stream first. Load the stream again and decide again. */
export class VersionConflict extends Error {
  constructor(
    readonly streamId: string,
    readonly expectedVersion: number,
    readonly actualVersion: number,
  ) {
    super(`stream ${streamId} is at version ${actualVersion}, not ${expectedVersion}`);
    this.name = 'VersionConflict';
  }
}

/** Makes a `switch` exhaustive: the compiler rejects the call as long as a case is missing. */
export function unreachable(value: never): never {
  // Only its type: the value may be a command that contains user data.
  const { type } = value as { readonly type?: unknown };
  throw new Error(`unhandled case: ${typeof type === 'string' ? type : typeof value}`);
}
