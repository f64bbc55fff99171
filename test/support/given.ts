import { type Decider, fold } from '../../src/event-sourcing/core/decider.js';
import type { DomainEvent } from '../../src/event-sourcing/core/event.js';
import { DomainError } from '../../src/kernel/errors.js';

/** The result of a decision, to compare with the expected one. */
export interface Decision<Event extends DomainEvent> {
  /** Exactly these events, in this order; at least one. */
  then(first: Event, ...others: Event[]): void;
  /** A refusal with this code. */
  thenRefused(code: string): void;
  /** Neither an event nor a refusal: the command already had its effect, or never will. */
  thenNothing(): void;
}

/** Unit tests of deciders as sentences: `given(taskDecider, created).when(deletion).then(deleted)`. */
export function given<Command, State, Event extends DomainEvent>(
  decider: Decider<Command, State, Event>,
  ...history: readonly NoInfer<Event>[]
): { when(command: Command): Decision<Event> } {
  const state = deepFreeze(fold(decider, decider.initialState, history));
  return {
    when(command) {
      const decided = attempt(() => decider.decide(deepFreeze(command), state));
      return {
        then: (...events) => expect(decided).toEqual(events),
        thenRefused(code) {
          expect(decided).toBeInstanceOf(DomainError);
          expect((decided as unknown as DomainError).code).toBe(code);
        },
        thenNothing: () => expect(decided).toEqual([]),
      };
    },
  };
}

/** A refusal is a result, like events; any other error fails the test. */
function attempt<T>(decide: () => T): T | DomainError {
  try {
    return decide();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

/** Deciders are pure: a decider that writes to its state or its command fails. */
function deepFreeze<T>(value: T): T {
  if (value === null || typeof value !== 'object' || value instanceof Date || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
