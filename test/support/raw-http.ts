import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection that sends exactly the bytes it is given. */
export class RawConnection {
  private text = '';

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      this.text += chunk;
    });
    // A server that closes while it is being written to: what it had said is looked at.
    socket.on('error', () => undefined);
  }

  static async to(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** @returns all that has come, once it holds the pattern */
  async received(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.text)) await once(this.socket, 'data');
    return this.text;
  }

  /** @returns all that has come, once the server sends no more */
  async ended(): Promise<string> {
    if (!this.socket.readableEnded && !this.socket.destroyed) {
      await Promise.race([once(this.socket, 'end'), once(this.socket, 'close')]);
    }
    this.socket.destroy();
    return this.text;
  }
}

/** What a server answers to bytes, until it closes. */
export async function answerToBytes(port: number, bytes: string | Uint8Array): Promise<string> {
  const connection = await RawConnection.to(port);
  connection.write(bytes);
  return connection.ended();
}

/** The status and the problem of an answer's text. */
export function problemIn(answer: string): { status: number; body: Record<string, unknown>; head: string } {
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]),
    head,
    body: JSON.parse(body) as Record<string, unknown>,
  };
}
