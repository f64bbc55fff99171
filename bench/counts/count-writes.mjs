/**
 * Loaded into the service by `--import`. Counts what the process sends, by peer, from the bytes of its sockets: the
 * service's own code is unchanged. On SIGUSR2 it prints the counts so far as one line: {"counts":{"name":number}}.
 */
import { Socket } from 'node:net';

const counts = {};
const add = (name, count = 1) => (counts[name] = (counts[name] ?? 0) + count);
const matches = (bytes, pattern) => bytes.toString('latin1').match(pattern)?.length ?? 0;

const PEERS_BY_PORT = {
  [process.env.DB_PORT]: 'postgres',
  [process.env.REDIS_PORT]: 'redis',
  [new URL(process.env.NATS_URL).port]: 'nats',
};

/** PostgreSQL's frontend messages: u8 type, u32 length with itself; the first one has no type. */
class PostgresMessages {
  started = false;
  rest = Buffer.alloc(0);

  read(bytes) {
    this.rest = Buffer.concat([this.rest, bytes]);
    for (;;) {
      const header = this.started ? 1 : 0;
      if (this.rest.length < header + 4) return;
      const end = header + this.rest.readUInt32BE(header);
      if (this.rest.length < end) return;
      if (this.started) this.count(this.rest.toString('latin1', 0, 1));
      this.started = true;
      this.rest = this.rest.subarray(end);
    }
  }

  /** Query and Execute are statements. Query and Sync end with one ReadyForQuery: a round trip. */
  count(type) {
    if (type === 'Q' || type === 'E') add('postgres statements');
    if (type === 'Q' || type === 'S') add('postgres round trips');
    if (type === 'P') add('postgres parses');
  }
}

const readers = {
  postgres: () => {
    const messages = new PostgresMessages();
    return (bytes) => messages.read(bytes);
  },
  redis: () => (bytes) => add('redis commands', matches(bytes, /\*\d+\r\n\$/g)),
  nats: () => (bytes) => {
    const acknowledged = matches(bytes, /(?:^|\n)H?PUB \$JS\.ACK\./g);
    add('nats acknowledgements', acknowledged);
    add('nats messages', matches(bytes, /(?:^|\n)H?PUB /g) - acknowledged);
  },
  engine: () => (bytes) => add('engine calls', matches(bytes, /^(?:GET|POST|PUT|DELETE|HEAD) \//g)),
};

function peerOf(socket, bytes) {
  if (socket.server) return 'http';
  if (socket.remotePort) return PEERS_BY_PORT[socket.remotePort] ?? 'other';
  return /^POST \/\S*attach/.test(bytes.toString('latin1', 0, 200)) ? 'sandbox' : 'engine';
}

const seen = new WeakMap();

function count(socket, bytes) {
  // Its peer is not known yet. Node calls this again when it is connected.
  if (socket.connecting) return;
  let entry = seen.get(socket);
  if (!entry) {
    const peer = peerOf(socket, bytes);
    entry = { peer, read: readers[peer]?.() ?? (() => undefined) };
    seen.set(socket, entry);
  }
  add(`${entry.peer} writes`);
  entry.read(bytes);
}

const bufferOf = (chunk, encoding) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk));
const { _writeGeneric } = Socket.prototype;

// Node has no hook for writes. `data` is a chunk, or with `writev` an array of chunks with their encodings.
// oxlint-disable-next-line no-underscore-dangle
Socket.prototype._writeGeneric = function (writev, data, encoding, callback) {
  const bytes = writev
    ? Buffer.concat(data.map(({ chunk, encoding: each }) => bufferOf(chunk, each)))
    : bufferOf(data, encoding);
  count(this, bytes);
  return _writeGeneric.call(this, writev, data, encoding, callback);
};

process.on('SIGUSR2', () => process.stdout.write(`${JSON.stringify({ counts })}\n`));
