import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection that sends exactly the given bytes. */
export class RawConnection {
  private text = '';

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      this.text += chunk;
    });
    // The server may close while the test writes: only the received bytes matter.
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

  /** @returns everything received, once it matches the pattern */
  async received(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.text)) await once(this.socket, 'data');
    return this.text;
  }

  /** @returns everything received, once the server has ended the connection */
  async ended(): Promise<string> {
    if (!this.socket.readableEnded && !this.socket.destroyed) {
      await Promise.race([once(this.socket, 'end'), once(this.socket, 'close')]);
    }
    this.socket.destroy();
    return this.text;
  }
}

/** A server's response to the bytes, until it closes the connection. */
export async function answerToBytes(port: number, bytes: string | Uint8Array): Promise<string> {
  const connection = await RawConnection.to(port);
  connection.write(bytes);
  return connection.ended();
}

/** The status and the problem in a response's text. */
export function problemIn(answer: string): { status: number; body: Record<string, unknown>; head: string } {
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]),
    head,
    body: JSON.parse(body) as Record<string, unknown>,
  };
}
