import { isIP } from 'node:net';

import { refusalOfAddress } from './refused-address.js';

export const URL_CHARS_MAX = 2_048;

export interface UrlRules {
  readonly allowHttp: boolean;
  /** Whether the operator allows an address that is not public. */
  readonly isAllowedAddress: (address: string) => boolean;
}

/** The rule that a URL breaks, in words for its author. */
export type UrlRefusal = { readonly rule: string; readonly message: string };

/**
 * Checks what the text alone tells. The URL parser (WHATWG) turns every notation of an IPv4 address (decimal, octal,
 * hexadecimal, fewer than four parts) into the usual one, so that it is judged by what would be connected to.
 *
 * @returns null if the URL may be used
 */
export function refusalOfUrl(text: string, rules: UrlRules): UrlRefusal | null {
  if (text.length > URL_CHARS_MAX) return { rule: 'length', message: `must be at most ${URL_CHARS_MAX} characters` };
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || url.hostname === '') return { rule: 'url', message: 'must be an absolute URL' };
  const isHttp = url.protocol === 'http:' && rules.allowHttp;
  if (url.protocol !== 'https:' && !isHttp) return { rule: 'scheme', message: 'must be an https URL' };
  if (url.username !== '' || url.password !== '') {
    return { rule: 'userinfo', message: 'must not contain a user name or a password' };
  }
  if (url.hash !== '') return { rule: 'fragment', message: 'must not contain a fragment' };
  const host = hostOf(url);
  return isIP(host) === 0 ? null : refusalOfHost([host], rules);
}

/** The host name, or the IP address without brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

/** @param addresses of one host: it is refused only if none of them may be connected to */
export function refusalOfHost(addresses: readonly string[], { isAllowedAddress }: UrlRules): UrlRefusal | null {
  const refusals = addresses.map((address) => refusalOfAddress(address, isAllowedAddress));
  const [first] = refusals;
  if (first === undefined || refusals.includes(null)) return null;
  return { rule: 'address', message: `leads to an address that is not public (${first})` };
}
