import type { IncomingMessage, Server, ServerResponse } from 'node:http';

import type { FastifyReply, FastifyRequest } from 'fastify';

/** Requests whose client waits for a 100 before it sends the content. */
const waiting = new WeakSet<IncomingMessage>();

/** By default, Node asks for the content before the server has checked the head. */
export function deferContinue(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request);
    server.emit('request', request, response);
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response);
  });
}

export const waitsForContinue = (request: IncomingMessage): boolean => waiting.has(request);

/** The head is valid, so the server asks for the content (RFC 9110, section 10.1.1). */
export function sendContinue(request: FastifyRequest, reply: FastifyReply): void {
  if (waiting.delete(request.raw)) reply.raw.writeContinue();
}
