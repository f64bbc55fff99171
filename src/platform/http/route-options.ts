import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    bodyBytesMax?: number;
  }
}

/** `@BodyLimit(BODY_WITH_INPUT_BYTES_MAX)`: a body larger than this is a 413. */
export const BodyLimit = (bytes: number) => RouteConfig({ bodyBytesMax: bytes });

/** Nest hands a route's config to Fastify, but not its options. */
export function applyBodyLimits(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (route.config?.bodyBytesMax !== undefined) route.bodyLimit = route.config.bodyBytesMax;
  });
}
