import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyContextConfig, FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    bodyBytesMax?: number;
    takesBytes?: boolean;
    jsonAsText?: boolean;
  }
}

const CONFIG = Symbol('route config');

/**
 * Sets a part of a route's config, which Fastify's hooks can read before the body. On a class, it is the default of all
 * its routes. Nest's own RouteConfig keeps only the last of several parts.
 */
export function routeConfig(part: FastifyContextConfig): ClassDecorator & MethodDecorator {
  return (target: object, _name?: string | symbol, descriptor?: PropertyDescriptor) => {
    if (descriptor) return configure(descriptor, (config) => ({ ...config, ...part }));
    const { constructor: _, ...methods } = Object.getOwnPropertyDescriptors(
      (target as { prototype: object }).prototype,
    );
    for (const method of Object.values(methods)) configure(method, (config) => ({ ...part, ...config }));
  };
}

function configure(
  method: PropertyDescriptor,
  change: (config: FastifyContextConfig | undefined) => FastifyContextConfig,
): void {
  const handler = method.value as unknown;
  if (typeof handler !== 'function') return;
  const config = change(Reflect.getMetadata(CONFIG, handler) as FastifyContextConfig | undefined);
  Reflect.defineMetadata(CONFIG, config, handler);
  RouteConfig(config)(handler, '', method);
}

/** `@BodyLimit(BODY_WITH_INPUT_BYTES_MAX)`: a body larger than this is a 413. */
export const BodyLimit = (bytes: number) => routeConfig({ bodyBytesMax: bytes });

/** `@TakesBytes(65_536)`: the body is bytes and not JSON, at most this many. The handler finds them in `request.body`. */
export const TakesBytes = (bytesMax: number) => routeConfig({ bodyBytesMax: bytesMax, takesBytes: true });

/** `@JsonAsText()`: JSON may be declared as text/plain, as HTTP clients do with a body that is a string. */
export const JsonAsText = () => routeConfig({ jsonAsText: true });

/** Nest passes a route's config to Fastify, but not its options. */
export function applyBodyLimits(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (route.config?.bodyBytesMax !== undefined) route.bodyLimit = route.config.bodyBytesMax;
  });
}
