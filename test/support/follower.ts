/** A client that follows an execution's output. */
export class Follower {
  private received = Buffer.alloc(0);
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;

  private constructor(
    private readonly answer: Response,
    private readonly gone: AbortController,
  ) {
    this.reader = answer.body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  }

  /** Resolves when the response starts, which may be before the first output. */
  static async of(base: string, token: string, executionId: string, stream = 'stdout'): Promise<Follower> {
    const gone = new AbortController();
    const url = `${base}/api/v1/executions/${executionId}/output/${stream}?follow=true`;
    const headers = { authorization: `Bearer ${token}` };
    return new Follower(await fetch(url, { headers, signal: gone.signal }), gone);
  }

  get status(): number {
    return this.answer.status;
  }

  get headers(): Headers {
    return this.answer.headers;
  }

  /** Waits until the body so far equals `text`. @throws Error if it becomes anything else */
  async until(text: string): Promise<void> {
    while (this.text !== text) {
      if (!text.startsWith(this.text)) throw new Error(`received ${this.text} instead of ${text}`);
      if (!(await this.next())) throw new Error(`the response ended with ${this.text}`);
    }
  }

  /** Waits for the end of the response. @returns the whole body. @throws if the connection breaks */
  async end(): Promise<string> {
    return (await this.endBytes()).toString();
  }

  async endBytes(): Promise<Buffer> {
    while (await this.next());
    return this.received;
  }

  leave(): void {
    this.gone.abort();
  }

  private get text(): string {
    return this.received.toString();
  }

  private async next(): Promise<boolean> {
    const { done, value } = await this.reader.read();
    if (value) this.received = Buffer.concat([this.received, value]);
    return !done;
  }
}
