import { type Answer, answerOf } from '../../../../support/api-client.js';
import type { Route } from '../contract.js';
import { filled } from './blanks.js';
import type { FuzzRequest } from './requests.js';
import type { Things } from './things.js';

/** A request without placeholders. */
export interface SentRequest extends FuzzRequest {
  /** With its path filled in, without the query. */
  readonly url: string;
  /** Whether the token is valid, as far as the request shows. */
  readonly knownCaller: boolean;
}

const GOOD_TOKEN = /^bearer +«(session )?token»$/i;

export async function fillIn(route: Route, request: FuzzRequest, things: Things): Promise<SentRequest> {
  const fill = (text: string): Promise<string> => filled(text, (name) => things.named(name));
  const fillAll = async (texts: Readonly<Record<string, string>>): Promise<Record<string, string>> => {
    const pairs = Object.entries(texts).map(async ([name, text]) => [name, await fill(text)] as const);
    return Object.fromEntries(await Promise.all(pairs));
  };
  const path = await fillAll(request.path);
  return {
    path,
    url: route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => path[name]!),
    query: await fill(request.query),
    headers: await fillAll(request.headers),
    body: request.body === undefined ? undefined : await fill(request.body),
    knownCaller: GOOD_TOKEN.test(request.headers['authorization'] ?? ''),
  };
}

/** The whole response; for an endless one, its beginning. */
export async function answerTo(base: string, method: string, request: SentRequest): Promise<Answer<any>> {
  const { url, query, headers, body } = request;
  const response = await fetch(`${base}${url}${query && `?${query}`}`, {
    method,
    headers,
    ...(body !== undefined && { body }),
  });
  if (response.headers.get('x-accel-buffering') !== 'no') return answerOf(response);
  await response.body?.cancel();
  return { status: response.status, headers: response.headers, body: '' };
}
