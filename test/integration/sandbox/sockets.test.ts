import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:net';

import type { ScriptType } from '../../support/declared-runtimes.js';
import { job, TestSandbox } from '../../support/docker.js';
import { RUNTIMES } from '../../support/runtimes.js';

/** A server and its client in one run. Each prints what it received. */
const WORKS: readonly (readonly [name: string, language: ScriptType, script: string])[] = [
  [
    'http.server and its client',
    'python',
    `import http.server, threading, urllib.request
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(self.path.encode())
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("localhost", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(urllib.request.urlopen(f"http://localhost:{server.server_port}/fine").read().decode().strip("/"))`,
  ],
  [
    'a manager of multiprocessing',
    'python',
    `import multiprocessing
def work(shared): shared["answer"] = "fine"
if __name__ == "__main__":
    with multiprocessing.Manager() as manager:
        shared = manager.dict()
        process = multiprocessing.Process(target=work, args=(shared,)); process.start(); process.join()
        print(shared["answer"])`,
  ],
  [
    'a pool started by a fork server',
    'python',
    `import multiprocessing
if __name__ == "__main__":
    with multiprocessing.get_context("forkserver").Pool(2) as pool: print("fine" if pool.map(abs, [-1, -2]) == [1, 2] else "wrong")`,
  ],
  ...['unix', 'tcp', 'tcp6'].map(
    (family) =>
      [
        `asyncio over ${family}`,
        'python',
        `import asyncio
async def echo(reader, writer): writer.write(await reader.readline()); await writer.drain(); writer.close()
async def main(family):
    if family == "unix":
        server = await asyncio.start_unix_server(echo, "socket"); reader, writer = await asyncio.open_unix_connection("socket")
    else:
        host = "::1" if family == "tcp6" else "127.0.0.1"
        server = await asyncio.start_server(echo, host, 0)
        reader, writer = await asyncio.open_connection(host, server.sockets[0].getsockname()[1])
    writer.write(b"fine\\n"); print((await reader.readline()).decode(), end=""); writer.close()
asyncio.run(main("${family}"))`,
      ] as const,
  ),
  [
    'UDP, an abstract name, a datagram of more than a page, and a descriptor handed over',
    'python',
    `import array, os, socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); server.bind(("127.0.0.1", 0))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); client.sendto(bytes(20_000), server.getsockname())
assert len(server.recvfrom(65_536)[0]) == 20_000
listener = socket.socket(socket.AF_UNIX); listener.bind("\\0own"); listener.listen()
caller = socket.socket(socket.AF_UNIX); caller.connect("\\0own"); callee, _ = listener.accept()
socket.send_fds(caller, [b"x"], [os.open("main.py", os.O_RDONLY)])
_, (handed,), _, _ = socket.recv_fds(callee, 1, 1)
print("fine" if os.read(handed, 6) == b"import" else "wrong")`,
  ],
  [
    'more than its buffers hold, on a socket whose options are set',
    'python',
    `import socket, threading
server = socket.create_server(("127.0.0.1", 0))
def answer():
    connection, _ = server.accept()
    with connection: connection.sendall(bytes(4 << 20))
threading.Thread(target=answer).start()
client = socket.socket()
for level, option in ((socket.SOL_SOCKET, socket.SO_RCVBUF), (socket.SOL_SOCKET, socket.SO_SNDBUF), (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE), (socket.IPPROTO_TCP, socket.TCP_NODELAY), (socket.IPPROTO_IP, socket.IP_TOS)): client.setsockopt(level, option, 1)
client.connect(server.getsockname())
count = 0
while block := client.recv(65_536): count += len(block)
print("fine" if count == 4 << 20 else count)`,
  ],
  [
    'http and fetch',
    'javascript',
    `const http = require('node:http');
const server = http.createServer((_, answer) => answer.end('fine')).listen(0, 'localhost', async () => {
  console.log(await (await fetch('http://localhost:' + server.address().port)).text());
  server.close(); server.closeAllConnections();
});`,
  ],
  [
    'a unix socket, UDP and a cluster',
    'javascript',
    `const cluster = require('node:cluster'), net = require('node:net'), dgram = require('node:dgram');
const of = (emitter, event) => new Promise((resolve, reject) => emitter.once(event, resolve).once('error', reject));
(async () => {
  if (!cluster.isPrimary) { net.createServer((socket) => socket.end('cluster')).listen(0, '127.0.0.1', function () { process.send(this.address().port); }); return; }
  const server = net.createServer((socket) => socket.end('unix')).listen('./socket'); await of(server, 'listening');
  const udp = dgram.createSocket('udp4').bind(0, '127.0.0.1'); await of(udp, 'listening');
  const datagram = of(udp, 'message');
  dgram.createSocket('udp4').send('udp', udp.address().port, '127.0.0.1');
  const said = [String(await of(net.connect('./socket'), 'data')), String(await datagram)];
  said.push(String(await of(net.connect(await of(cluster.fork(), 'message'), '127.0.0.1'), 'data')));
  console.log(said.join() === 'unix,udp,cluster' ? 'fine' : said); process.exit();
})();`,
  ],
  [
    'a server of net',
    'typescript',
    `import net, { type AddressInfo } from 'node:net';
const server = net.createServer((socket) => socket.end('fine\\n')).listen(0, '::1', () => {
  const { port } = server.address() as AddressInfo;
  net.connect(port, '::1').on('end', () => server.close()).pipe(process.stdout);
});`,
  ],
  [
    'httptest, and a listener on a unix socket',
    'go',
    `package main
import ("fmt"; "io"; "net"; "net/http"; "net/http/httptest")
func main() {
  server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") }))
  answer, err := http.Get(server.URL)
  if err != nil { fmt.Println(err); return }
  listener, err := net.Listen("unix", "socket")
  if err != nil { fmt.Println(err); return }
  go func() { connection, _ := listener.Accept(); connection.Close() }()
  if _, err := net.Dial("unix", "socket"); err != nil { fmt.Println(err); return }
  text, _ := io.ReadAll(answer.Body)
  fmt.Println(string(text))
}`,
  ],
  ['what bash connects to', 'bash', `exec 3<>/dev/udp/localhost/9 && echo fine`],
];

/** Tries every address outside the run, or in another run. Prints the distinct results. */
const reaches = (ports: readonly number[], abstract: string): string => `import errno, json, socket
def connect(family, kind, address):
    with socket.socket(family, kind) as own:
        own.settimeout(5)
        try: own.connect(address); own.send(b"x"); own.recv(1); return "connected"
        except OSError as error: return errno.errorcode.get(error.errno, type(error).__name__)
for port in ${JSON.stringify(ports)}:
    print(*sorted({connect(socket.AF_INET, kind, (host, port)) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
        for host in ("127.0.0.1", "127.0.0.53", "0.0.0.0")} | {connect(socket.AF_INET6, socket.SOCK_STREAM, ("::1", port))}))
    print(*sorted({connect(socket.AF_INET, kind, (host, port)) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
        for host in ("169.254.169.254", "8.8.8.8", "10.0.0.1", "172.17.0.1", "192.168.0.1")}))
print(connect(socket.AF_UNIX, socket.SOCK_STREAM, "\\0${abstract}"))`;
const REACHES_NOTHING = 'ECONNREFUSED\nENETUNREACH\n';

/** Listens on the loopback and on an abstract name, prints a line, and accepts every connection. */
const listens = (abstract: string) => `import os, socket, sys, threading
def serve(server):
    while True: connection, _ = server.accept(); print("somebody came", flush=True)
tcp = socket.create_server(("0.0.0.0", 2000)); named = socket.socket(socket.AF_UNIX); named.bind("\\0${abstract}"); named.listen()
threads = [threading.Thread(target=serve, args=(server,)) for server in (tcp, named)]
for thread in threads: thread.start()
print("listens", flush=True)`;

describe.each(RUNTIMES)('on %s', (runtime) => {
  let box: TestSandbox;
  const userId = randomUUID();

  beforeAll(async () => {
    box = await TestSandbox.create({ runtime });
  });
  afterAll(async () => {
    await box.expectNoContainers();
    await box.sandbox.close();
  });

  it.each(WORKS)('%s works in %s', async (_, language, script) => {
    expect(await box.run(language, script, { userId })).toMatchObject({ out: 'fine\n', err: '', returnCode: 0 });
  });

  it('a name lookup fails quickly', async () => {
    const script = `import socket
try: socket.getaddrinfo("example.com", 80)
except socket.gaierror: print("no such name")
print(socket.gethostbyname(socket.gethostname()))`;
    expect(await box.run('python', script, { userId })).toMatchObject({ out: 'no such name\n127.0.0.1\n', err: '' });
  });

  it('a run reaches no service of its host', async () => {
    const abstract = `voidrunner-test-${randomUUID()}`;
    let came = 0;
    const listen = async (where: object | string): Promise<Server> => {
      const server = createServer(() => (came += 1)).listen(where);
      await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
      return server;
    };
    const servers = [await listen({ port: 0, host: '127.0.0.1' }), await listen({ port: 0, host: '0.0.0.0' })];
    servers.push(await listen({ port: 0, host: '::1' }), await listen(`\0${abstract}`));
    const own = servers
      .map((server) => server.address())
      .flatMap((address) => (typeof address === 'object' ? [address!.port] : []));
    const services = ['DB_PORT', 'REDIS_PORT', 'NATS_PORT'].map((name) => Number(process.env[name]));
    const ports = [...own, ...services, 53];
    const { out, err } = await box.run('python', reaches(ports, abstract), { userId });
    expect({ out, err, came }).toEqual({
      out: `${REACHES_NOTHING.repeat(ports.length)}ECONNREFUSED\n`,
      err: '',
      came: 0,
    });
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  });

  it('a run reaches no concurrent run, whether of the same user or not', async () => {
    const stop = new AbortController();
    const printed: string[] = [];
    const listening = Promise.withResolvers<void>();
    const listener = box.sandbox.run(job('python', listens('other'), { userId }), {
      signal: stop.signal,
      onOutput: (_, chunk) => {
        printed.push(Buffer.from(chunk).toString());
        listening.resolve();
      },
    });
    await Promise.race([listening.promise, listener]);
    for (const caller of [userId, randomUUID()]) {
      const { out, err } = await box.run('python', reaches([2000], 'other'), { userId: caller });
      expect({ out, err }).toEqual({ out: `${REACHES_NOTHING}ECONNREFUSED\n`, err: '' });
    }
    stop.abort();
    expect(await listener).toMatchObject({ reason: 'cancelled' });
    expect(printed.join('')).toBe('listens\n');
  });

  it('a run does not reach a listener that the previous run left in the same cell', async () => {
    const owner = randomUUID();
    const left = `import os\nif os.fork(): os.wait()\nelif os.fork(): os._exit(0)\nelse:\n    os.setsid()\n    ${listens('left').replaceAll('\n', '\n    ')}`;
    const first = await box.run('python', `import os\nprint(os.getuid(), flush=True)\n${left}`, { userId: owner });
    const next = await box.run('python', `import os\nprint(os.getuid())\n${reaches([2000], 'left')}`, {
      userId: owner,
    });
    const uid = first.out.split('\n')[0]!;
    expect(next).toMatchObject({ out: `${uid}\n${REACHES_NOTHING}ECONNREFUSED\n`, err: '' });
  });
});
