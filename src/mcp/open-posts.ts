import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

import type { McpSession } from './mcp-session.js';

export interface OpenPost {
  readonly session: McpSession;
  readonly transport: Transport;
}

/**
 * The POSTs that run tools in this process, by the session that their client names. Without a session a cancellation is
 * another POST, which knows nothing of the one that it is about. A name is nothing but a name: no state belongs to it,
 * and every process takes it.
 */
export class OpenPosts {
  private readonly ofSession = new Map<string, Set<OpenPost>>();

  /** @returns a function that removes it */
  add(key: string, post: OpenPost): () => void {
    const posts = this.ofSession.get(key) ?? new Set();
    this.ofSession.set(key, posts.add(post));
    return () => {
      posts.delete(post);
      if (posts.size === 0) this.ofSession.delete(key);
    };
  }

  /** Passes a `notifications/cancelled` on. A session that does not know the request ignores it. */
  cancel(key: string, message: JSONRPCMessage): void {
    for (const { transport } of this.ofSession.get(key) ?? []) transport.onmessage?.(message);
  }
}
