// Stands in for Jaeger: takes spans (OTLP over HTTP, JSON), answers the health check, and tells which
// services sent some, as Jaeger's query API does. Spans themselves are dropped.
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

const OTLP_PORT = 4318;
const ADMIN_PORT = 14269;
const QUERY_PORT = 16686;

const services = new Set();

const nameOf = ({ resource }) =>
  resource?.attributes?.find(({ key }) => key === 'service.name')?.value?.stringValue ?? 'unknown';

async function takeSpans(request) {
  const { resourceSpans = [] } = JSON.parse(await text(request));
  for (const each of resourceSpans) services.add(nameOf(each));
  return {};
}

const routes = {
  [OTLP_PORT]: { 'POST /v1/traces': takeSpans },
  [ADMIN_PORT]: { 'GET /': () => ({ status: 'Server available' }) },
  [QUERY_PORT]: { 'GET /api/services': () => ({ data: [...services], total: services.size }) },
};

async function answer(request, response, port) {
  const handler = routes[port][`${request.method} ${request.url}`];
  if (!handler) return void response.writeHead(404).end();
  try {
    const body = JSON.stringify(await handler(request));
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  } catch (error) {
    response.writeHead(400).end(error.message);
  }
}

const servers = Object.keys(routes).map((port) =>
  createServer((request, response) => void answer(request, response, port)).listen(Number(port)),
);
// PID 1 has no default action for signals.
process.on('SIGTERM', () => {
  for (const server of servers) server.close();
  for (const server of servers) server.closeAllConnections();
});
console.log('the stand-in for Jaeger listens');
