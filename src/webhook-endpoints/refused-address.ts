import ipaddr from 'ipaddr.js';

/** Ranges of IPv6 that contain an IPv4 address which the connection would reach: RFC 6052, 6145, 3056, 4380. */
const EMBEDDING = new Set<string>(['rfc6052', 'rfc6145', '6to4', 'teredo']);

/**
 * Why nothing is sent to an IP address: the name of its range in the registries of RFC 6890, such as `loopback`,
 * `private`, `linkLocal` (which includes the metadata services of clouds), `uniqueLocal`, `carrierGradeNat`,
 * `multicast`. An IPv4 address that is mapped into IPv6 (::ffff:10.0.0.1) is judged as IPv4.
 *
 * @param isAllowed whether the operator allows an address that is not public
 * @returns null if something may be sent
 */
export function refusalOfAddress(text: string, isAllowed: (address: string) => boolean): string | null {
  if (!ipaddr.isValid(text)) return 'malformed';
  const address = ipaddr.process(text);
  const range = address.range();
  if (range === 'unicast' || isAllowed(address.toString())) return null;
  return EMBEDDING.has(range) ? 'embedded IPv4' : range;
}
