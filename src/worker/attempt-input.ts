import type { AcceptedInput, InputAnswer, InputPiece, LiveInput } from '../live-input/live-input.js';
import { InteractiveInput } from '../sandbox/interactive-input.js';
import type { AttemptLease } from '../tasks/domain/execution-commands.js';
import { liveStart } from '../tasks/domain/live-source.js';

/** Requests that an attempt remembers: a repeat of one before them is added again. A request takes about 200 bytes. */
export const REQUESTS_KEPT_MAX = 1_000;

/** The interactive input of one attempt: receives it for the program, and adds each request once. */
export class AttemptInput {
  readonly program = new InteractiveInput();
  /** In the order of their arrival. */
  private readonly requests = new Map<string, { readonly digest: string; readonly answer: AcceptedInput }>();
  private readonly stop: () => void;

  constructor(
    lease: AttemptLease,
    live: LiveInput,
    private readonly onAccepted: (bytes: number) => void,
  ) {
    this.stop = live.receive(liveStart(lease), (piece) => this.take(piece));
  }

  /** The attempt is over. */
  close(): void {
    this.stop();
    this.program.end();
  }

  private take({ bytes, isLast, request }: InputPiece): InputAnswer {
    const earlier = request && this.requests.get(request.id);
    if (earlier)
      return earlier.digest === request.digest ? { ...earlier.answer, replayed: true } : { outcome: 'reused' };
    const outcome = this.program.add(bytes, isLast);
    if (outcome !== 'accepted') return { outcome };
    this.onAccepted(bytes.length);
    const answer: AcceptedInput = { outcome, bytes: this.program.bytes, closed: isLast, replayed: false };
    if (request) this.remember(request, answer);
    return answer;
  }

  private remember({ id, digest }: NonNullable<InputPiece['request']>, answer: AcceptedInput): void {
    const [oldest] = this.requests.keys();
    if (oldest !== undefined && this.requests.size >= REQUESTS_KEPT_MAX) this.requests.delete(oldest);
    this.requests.set(id, { digest, answer });
  }
}
