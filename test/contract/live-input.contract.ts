import { newId } from '../../src/kernel/uuid.js';
import {
  INPUT_PIECE_BYTES_MAX,
  type InputAnswer,
  type InputPiece,
  type InputTarget,
  type LiveInput,
} from '../../src/live-input/live-input.js';
import { eventually } from '../support/eventually.js';

export const aTarget = (changes: Partial<InputTarget> = {}): InputTarget => ({
  executionId: newId(),
  attempt: 1,
  startId: newId(),
  ...changes,
});

export const piece = (text: string): InputPiece => ({ bytes: Buffer.from(text), isLast: false });
export const accepted = (bytes: number): InputAnswer => ({
  outcome: 'accepted',
  bytes,
  closed: false,
  replayed: false,
});

/** Keeps what it gets. */
export class Gathered {
  readonly pieces: InputPiece[] = [];
  private readonly stop: () => void;

  constructor(
    private readonly live: LiveInput,
    private readonly target: InputTarget,
    private readonly answer: InputAnswer = accepted(0),
  ) {
    this.stop = live.receive(target, (given) => {
      this.pieces.push({ ...given, bytes: Buffer.from(given.bytes) });
      return this.answer;
    });
  }

  /** A subscription takes effect soon, not at once. */
  async ready(): Promise<this> {
    await eventually(async () => expect(await this.live.send(this.target, piece(''))).not.toBeNull());
    this.pieces.length = 0;
    return this;
  }

  get text(): string {
    return Buffer.concat(this.pieces.map(({ bytes }) => bytes)).toString();
  }

  close(): void {
    this.stop();
  }
}

export function liveInputContract(liveInput: () => LiveInput): void {
  let live: LiveInput;
  beforeEach(() => {
    live = liveInput();
  });

  test('nobody takes input of a start without a receiver', async () => {
    expect(await live.send(aTarget(), piece('x'))).toBeNull();
  });

  test('a piece arrives unchanged, and its sender gets the answer', async () => {
    const target = aTarget();
    const gathered = await new Gathered(live, target, { outcome: 'full' }).ready();
    const bytes = Buffer.from(Uint8Array.from({ length: INPUT_PIECE_BYTES_MAX }, (_, n) => n % 251));
    const request = { id: newId(), digest: 'abc' };
    expect(await live.send(target, { bytes, isLast: true, request })).toEqual({ outcome: 'full' });
    expect(await live.send(target, piece(''))).toEqual({ outcome: 'full' });
    expect(gathered.pieces).toEqual([
      { bytes, isLast: true, request },
      { bytes: Buffer.alloc(0), isLast: false, request: undefined },
    ]);
    gathered.close();
  });

  test.each<InputAnswer>([
    { outcome: 'accepted', bytes: 2 ** 33, closed: true, replayed: true },
    { outcome: 'closed' },
    { outcome: 'ended' },
    { outcome: 'reused' },
  ])('the answer %j arrives', async (answer) => {
    const target = aTarget();
    const gathered = await new Gathered(live, target, answer).ready();
    expect(await live.send(target, piece('x'))).toEqual(answer);
    gathered.close();
  });

  test('pieces keep their order', async () => {
    const target = aTarget();
    const gathered = await new Gathered(live, target).ready();
    const lines = Array.from({ length: 200 }, (_, n) => `${n}\n`);
    for (const line of lines) await live.send(target, piece(line));
    expect(gathered.text).toBe(lines.join(''));
    gathered.close();
  });

  test('each attempt and start is a separate target', async () => {
    const target = aTarget();
    const gathered = await new Gathered(live, target).ready();
    for (const other of [{ attempt: 2 }, { startId: newId() }, { executionId: newId() }]) {
      expect(await live.send({ ...target, ...other }, piece('not this'))).toBeNull();
    }
    expect(gathered.text).toBe('');
    gathered.close();
  });

  test('a receiver that has stopped gets nothing', async () => {
    const target = aTarget();
    const gathered = await new Gathered(live, target).ready();
    gathered.close();
    await eventually(async () => expect(await live.send(target, piece('late'))).toBeNull());
  });
}
