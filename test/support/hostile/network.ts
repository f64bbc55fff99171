import { DONE, type HostileProgram } from './program.js';

const connection = (wants: string, family: string, kind: string, address: string): HostileProgram => ({
  wants,
  scripts: {
    python: `import socket
try: s = socket.socket(socket.${family}, socket.${kind}); s.settimeout(1); s.connect(${address}); print("connected")
except OSError as error: print(type(error).__name__ if error.errno is None else __import__("errno").errorcode[error.errno])`,
  },
  meets: 'no socket at all',
  expected: { ...DONE, out: 'EAFNOSUPPORT\n' },
});

/** To the network. */
export const NETWORK: readonly HostileProgram[] = [
  connection('the cloud’s metadata', 'AF_INET', 'SOCK_STREAM', '("169.254.169.254", 80)'),
  connection('DNS', 'AF_INET', 'SOCK_DGRAM', '("8.8.8.8", 53)'),
  connection('Postgres on the loopback', 'AF_INET', 'SOCK_STREAM', '("127.0.0.1", 5432)'),
  connection('Redis on the loopback', 'AF_INET6', 'SOCK_STREAM', '("::1", 6379)'),
  connection('NATS on the loopback', 'AF_INET', 'SOCK_STREAM', '("127.0.0.1", 4222)'),
  connection('a raw socket', 'AF_INET', 'SOCK_RAW', '("127.0.0.1", 0)'),
  connection('a vsock', 'AF_VSOCK', 'SOCK_STREAM', '(2, 22)'),
  connection('the Docker socket', 'AF_UNIX', 'SOCK_STREAM', '"/var/run/docker.sock"'),
  {
    wants: 'any of these',
    scripts: {
      javascript: `const net = require('node:net'); const dgram = require('node:dgram');
const failures = [
  [169, 80], [127, 5432], [127, 4222],
].map(([first, port]) => net.connect(port, first === 169 ? '169.254.169.254' : '127.0.0.1'))
  .concat(net.connect('/var/run/docker.sock'), net.createServer().listen(0), dgram.createSocket('udp4').bind())
  .map((socket) => new Promise((resolve) => socket.on('error', ({ code }) => resolve(code)).on('connect', resolve).on('listening', resolve)));
Promise.all(failures).then((codes) => { console.log([...new Set(codes)].join()); process.exit(0); });`,
      bash: `for address in tcp/169.254.169.254/80 udp/8.8.8.8/53 tcp/127.0.0.1/5432 tcp/::1/6379 tcp/127.0.0.1/4222; do
  { exec 3<>/dev/$address; } 2>&1 | grep -o 'Address family not supported'; done | sort -u | sed 's/.*/EAFNOSUPPORT/'`,
      go: `package main
import ("errors"; "fmt"; "net"; "syscall")
func main() {
  targets := [][2]string{{"tcp", "169.254.169.254:80"}, {"udp", "8.8.8.8:53"}, {"tcp", "127.0.0.1:5432"}, {"tcp", "[::1]:6379"}, {"unix", "/var/run/docker.sock"}}
  for _, target := range targets {
    _, err := net.Dial(target[0], target[1])
    if !errors.Is(err, syscall.EAFNOSUPPORT) { fmt.Println(target, err) }
  }
  fmt.Println("EAFNOSUPPORT")
}`,
    },
    everywhere: 'bash',
    meets: 'no socket at all',
    expected: { ...DONE, out: 'EAFNOSUPPORT\n' },
  },
];
