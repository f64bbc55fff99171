import { InvalidResponseError } from '../errors.js';

export interface ServerSentEvent {
  /** Of this event, or of the last one that had an id. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Far more than the service sends in one event. */
const EVENT_CHARS_MAX = 16 * 1024 ** 2;

/** Parses an event stream (HTML Living Standard, section 9.2). An event that is cut off at the end is dropped. */
export async function* serverSentEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  const parser = new Parser();
  for await (const chunk of chunks) yield* parser.add(decoder.decode(chunk, { stream: true }));
}

class Parser {
  private rest = '';
  private id = '';
  private event = '';
  private data: string[] = [];
  private chars = 0;

  *add(text: string): Generator<ServerSentEvent> {
    this.chars += text.length;
    if (this.chars > EVENT_CHARS_MAX) throw new InvalidResponseError('An event of the stream is too long');
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop()!;
    for (const line of lines) {
      const event = line === '' ? this.dispatch() : this.field(line);
      if (event !== null) yield event;
    }
  }

  private field(line: string): null {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.event = value;
    else if (name === 'data') this.data.push(value);
    else if (name === 'id' && !value.includes('\0')) this.id = value;
    return null;
  }

  private dispatch(): ServerSentEvent | null {
    const { id, event, data } = this;
    this.event = '';
    this.data = [];
    this.chars = this.rest.length;
    return data.length === 0 ? null : { id, event: event || 'message', data: data.join('\n') };
  }
}
