export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** A client of server-sent events (HTML Living Standard, section 9.2.6), limited to what the service sends. */
export class EventReader {
  readonly received: ReceivedEvent[] = [];
  /** Number of comments: heartbeats are comments. */
  heartbeats = 0;
  private text = '';
  private readonly reader: ReadableStreamDefaultReader<string>;

  private constructor(
    private readonly answer: Response,
    private readonly gone: AbortController,
  ) {
    this.reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Resolves when the response starts, which may be before the first event. */
  static async of(url: string, headers: Record<string, string>): Promise<EventReader> {
    const gone = new AbortController();
    const answer = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: gone.signal });
    return new EventReader(answer, gone);
  }

  get status(): number {
    return this.answer.status;
  }

  get headers(): Headers {
    return this.answer.headers;
  }

  /** Waits for the next event. @throws if the stream ends first */
  async next(): Promise<ReceivedEvent> {
    const event = await this.read();
    if (!event) throw new Error('the stream ended');
    return event;
  }

  /** Waits for the end. @returns the events until then. @throws if the connection breaks */
  async rest(): Promise<ReceivedEvent[]> {
    const events: ReceivedEvent[] = [];
    for (let event = await this.read(); event; event = await this.read()) events.push(event);
    return events;
  }

  leave(): void {
    this.gone.abort();
  }

  private async read(): Promise<ReceivedEvent | null> {
    for (;;) {
      const end = this.text.indexOf('\n\n');
      if (end === -1) {
        const { done, value } = await this.reader.read();
        if (done) return null;
        this.text += value;
        continue;
      }
      const block = this.text.slice(0, end);
      this.text = this.text.slice(end + 2);
      if (block.startsWith(':')) this.heartbeats += 1;
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s, 2))) as Record<
        string,
        string
      >;
      if (fields['data'] === undefined) continue;
      const event = { id: fields['id']!, event: fields['event']!, data: JSON.parse(fields['data']) as unknown };
      this.received.push(event);
      return event;
    }
  }
}
