import { DONE, type HostileProgram } from './program.js';

interface Attempt {
  readonly wants: string;
  readonly family: string;
  readonly kind: string;
  readonly address: string;
  readonly meets: string;
  readonly answer: string;
}

const attempt = ({ wants, family, kind, address, meets, answer }: Attempt): HostileProgram => ({
  wants,
  scripts: {
    python: `import errno, socket
try:
    own = socket.socket(socket.${family}, socket.${kind}); own.settimeout(5); own.connect(${address}); own.send(b"x"); own.recv(1)
    print("connected")
except OSError as error: print(type(error).__name__ if error.errno is None else errno.errorcode[error.errno])`,
  },
  meets,
  expected: { ...DONE, out: `${answer}\n` },
});

const away = (wants: string, kind: string, address: string): HostileProgram =>
  attempt({ wants, family: 'AF_INET', kind, address, meets: 'an unreachable network', answer: 'ENETUNREACH' });
const onLoopback = (wants: string, family: string, address: string): HostileProgram =>
  attempt({ wants, family, kind: 'SOCK_STREAM', address, meets: 'its own loopback', answer: 'ECONNREFUSED' });
const ofFamily = (wants: string, family: string, address: string): HostileProgram =>
  attempt({
    wants,
    family,
    kind: 'SOCK_DGRAM',
    address,
    meets: 'an unsupported address family',
    answer: 'EAFNOSUPPORT',
  });

/** Programs that try to reach the network. Another test checks that services listen on the host (sockets.test.ts). */
export const NETWORK: readonly HostileProgram[] = [
  away('the cloud’s metadata', 'SOCK_STREAM', '("169.254.169.254", 80)'),
  away('DNS', 'SOCK_DGRAM', '("8.8.8.8", 53)'),
  onLoopback('Postgres on the loopback', 'AF_INET', '("127.0.0.1", 5432)'),
  onLoopback('Redis on the loopback', 'AF_INET6', '("::1", 6379)'),
  onLoopback('NATS on the loopback', 'AF_INET', '("127.0.0.1", 4222)'),
  onLoopback('an abstract socket of its host', 'AF_UNIX', '"\\0/containerd-shim"'),
  attempt({
    wants: 'a raw socket',
    family: 'AF_INET',
    kind: 'SOCK_RAW',
    address: '("127.0.0.1", 0)',
    meets: 'EPERM',
    answer: 'EPERM',
  }),
  ofFamily('a vsock', 'AF_VSOCK', '(2, 22)'),
  ofFamily('a packet socket', 'AF_PACKET', '("lo", 0)'),
  ofFamily('a netlink socket', 'AF_NETLINK', '(0, 0)'),
  ofFamily('the kernel’s ciphers', 'AF_ALG', '("hash", "md5")'),
  attempt({
    wants: 'the Docker socket',
    family: 'AF_UNIX',
    kind: 'SOCK_STREAM',
    address: '"/var/run/docker.sock"',
    meets: 'no such file',
    answer: 'ENOENT',
  }),
  {
    wants: 'connections out of its cell',
    scripts: {
      javascript: `const net = require('node:net');
const targets = [[80, '169.254.169.254'], [5432, '127.0.0.1'], [6379, '::1'], ['/var/run/docker.sock']];
Promise.all(targets.map((target) => new Promise((resolve) =>
  net.connect(...target).on('error', ({ code }) => resolve(code)).on('connect', resolve))))
  .then((codes) => { console.log(codes.join(' ')); process.exit(0); });`,
      bash: `for address in tcp/169.254.169.254/80 tcp/127.0.0.1/5432 tcp/::1/6379; do
  { exec 3<>/dev/$address; } 2>&1 | grep -m 1 -oE 'unreachable|refused' | tr '\\n' ' '; done | sed 's/unreachable/ENETUNREACH/; s/refused/ECONNREFUSED/g'
[ -e /var/run/docker.sock ] || echo ENOENT`,
      go: `package main
import ("errors"; "fmt"; "net"; "syscall")
func main() {
  targets := [][2]string{{"tcp", "169.254.169.254:80"}, {"tcp", "127.0.0.1:5432"}, {"tcp", "[::1]:6379"}, {"unix", "/var/run/docker.sock"}}
  names := map[error]string{syscall.ENETUNREACH: "ENETUNREACH", syscall.ECONNREFUSED: "ECONNREFUSED", syscall.ENOENT: "ENOENT"}
  for n, target := range targets {
    _, err := net.Dial(target[0], target[1])
    var errno syscall.Errno
    errors.As(err, &errno)
    if n > 0 { fmt.Print(" ") }
    fmt.Print(names[errno])
  }
  fmt.Println()
}`,
    },
    everywhere: 'bash',
    meets: 'none',
    expected: { ...DONE, out: 'ENETUNREACH ECONNREFUSED ECONNREFUSED ENOENT\n' },
  },
];
