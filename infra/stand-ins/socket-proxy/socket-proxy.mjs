// Stands in for wollomatic/socket-proxy: passes on to the engine's socket what the rules allow, from
// whom they allow it, upgraded connections (`attach`) included.
import { lookup } from 'node:dns/promises';
import { createServer, request as httpRequest } from 'node:http';
import { connect, isIP } from 'node:net';
import { text } from 'node:stream/consumers';

import { bindMountRefusalOf, looksIntoBody, parseRules, refusalOf } from './rules.mjs';

const SOCKET = '/var/run/docker.sock';
const PORT = 2375;
const HEALTH_PORT = 55555;

const rules = parseRules(process.argv.slice(2));

/** Looked up each time: a restarted client has another address. */
async function comesFromAllowed(address) {
  for (const name of rules.allowFrom) {
    if (isIP(name) !== 0 && name === address) return true;
    const known = await lookup(name, { all: true }).catch(() => []);
    if (known.some((each) => each.address === address)) return true;
  }
  return false;
}

async function refusalFor(request) {
  const client = request.socket.remoteAddress;
  const refusal = (await comesFromAllowed(client))
    ? refusalOf(rules, request.method, request.url)
    : { status: 403, reason: 'client not allowed' };
  if (refusal) console.log(`refused (${refusal.reason}): ${request.method} ${request.url} from ${client}`);
  return refusal;
}

async function pass(request, response) {
  const refusal = await refusalFor(request);
  if (refusal) return void response.writeHead(refusal.status).end(`${refusal.reason}\n`);
  let body = request;
  const headers = { ...request.headers };
  if (looksIntoBody(rules, request.method, request.url)) {
    body = await text(request);
    const found = bindMountRefusalOf(rules, body);
    if (found) {
      console.log(`refused (${found.reason})`);
      return void response.writeHead(found.status).end(`${found.reason}\n`);
    }
    delete headers['transfer-encoding'];
    headers['content-length'] = Buffer.byteLength(body);
  }
  const { method, url: path } = request;
  const onward = httpRequest({ socketPath: SOCKET, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    response.flushHeaders();
    answer.pipe(response);
  });
  onward.on('error', (error) => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end(`${error.message}\n`);
  });
  // A client that has gone is no longer waited for.
  response.on('close', () => onward.destroy());
  if (typeof body === 'string') onward.end(body);
  else body.pipe(onward);
}

/** From here on bytes, both ways, until each end has closed its half. */
async function upgrade(request, client, head) {
  client.on('error', () => client.destroy());
  // Of an upgrade the body is never seen.
  const blind = looksIntoBody(rules, request.method, request.url) && { status: 403, reason: 'no upgrade here' };
  const refusal = (await refusalFor(request)) || blind;
  if (refusal) return void client.end(`HTTP/1.1 ${refusal.status} Refused\r\nConnection: close\r\n\r\n`);
  const engine = connect({ path: SOCKET, allowHalfOpen: true });
  engine.on('error', () => client.destroy());
  client.on('close', () => engine.destroy());
  engine.write(headOf(request));
  if (head.length > 0) engine.write(head);
  client.pipe(engine);
  engine.pipe(client);
}

function headOf({ method, url, httpVersion, rawHeaders }) {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function health(request, response) {
  const engine = connect(SOCKET, () => {
    engine.destroy();
    response.writeHead(200).end();
  });
  engine.on('error', () => response.writeHead(503).end());
}

// An event stream or a wait may last for hours.
const server = createServer({ requestTimeout: 0 }, (request, response) => {
  pass(request, response).catch(() => response.destroy());
});
server.on('upgrade', (request, client, head) => {
  upgrade(request, client, head).catch(() => client.destroy());
});
server.listen(PORT, rules.listenIp, () => console.log(`the stand-in for socket-proxy listens on ${rules.listenIp}`));
if (rules.healthcheck) createServer(health).listen(HEALTH_PORT, '127.0.0.1');
// PID 1 has no default action for signals.
process.on('SIGTERM', () => process.exit(0));
