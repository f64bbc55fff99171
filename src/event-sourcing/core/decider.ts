import type { DomainEvent } from './event.js';

/**
 * An aggregate as two pure functions (Chassaing, "Functional Event Sourcing Decider"). They use no clock and no
 * randomness, and create no ids: the command carries what they need. A refusal is thrown as a DomainError.
 */
export interface Decider<Command, State, Event extends DomainEvent> {
  readonly initialState: State;
  decide(command: Command, state: State): readonly Event[];
  evolve(state: State, event: Event): State;
  /**
   * Set for aggregates with long streams: their folded states are kept as snapshots under this number. Raise it
   * whenever `evolve` or the shape of the state changes; older snapshots are then ignored. The state must be JSON.
   */
  readonly reducerVersion?: number;
}

export function fold<State, Event extends DomainEvent>(
  decider: Pick<Decider<never, State, Event>, 'evolve'>,
  state: State,
  events: Iterable<Event>,
): State {
  let folded = state;
  for (const event of events) folded = decider.evolve(folded, event);
  return folded;
}
