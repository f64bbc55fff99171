import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { CommandBus, ICommand } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Decided } from '../event-sourcing/core/decision-runner.js';
import type { ReadYourWrites } from './read-your-writes.js';

export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** `@HttpExchange() exchange: Exchange`. */
export const HttpExchange = createParamDecorator((_data: unknown, context: ExecutionContext): Exchange => {
  const http = context.switchToHttp();
  return { request: http.getRequest<FastifyRequest>(), reply: http.getResponse<FastifyReply>() };
});

/** Executes a request's commands, and waits until their events are visible in the read models. */
export class HttpCommands {
  constructor(
    private readonly bus: Pick<CommandBus, 'execute'>,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  /** @throws what the command's handler throws */
  async execute(command: ICommand, exchange: Exchange): Promise<void> {
    await this.waitUntilReadable(await this.record(command), exchange);
  }

  /** Does not wait. @returns the position to wait for; null: nothing was recorded. @throws what the handler throws */
  async record(command: ICommand): Promise<bigint | null> {
    const { position } = await this.bus.execute<ICommand, Decided<unknown>>(command);
    return position;
  }

  /** Waits, up to a time limit, until lists include the position. @param position null: no wait */
  waitUntilReadable(position: bigint | null, { request, reply }: Exchange): Promise<void> {
    return this.readYourWrites.waitUntilReadable(position, request, reply);
  }
}
