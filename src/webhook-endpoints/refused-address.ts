import ipaddr from 'ipaddr.js';

/** Ranges of IPv6 that contain an IPv4 address which the connection would reach: RFC 6052, 6145, 3056, 4380. */
const EMBEDDING = new Set<string>(['rfc6052', 'rfc6145', '6to4', 'teredo']);

/** All of IPv6 that is public (RFC 4291, section 2.4). The rest is unassigned, or IPv4 in its old notation (::a.b.c.d). */
const PUBLIC_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** Public by their registry, but services of a cloud to its own machines: Azure's WireServer. */
const CLOUD_SERVICES = new Set(['168.63.129.16']);

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
  const range = rangeOf(address);
  return range === 'unicast' || isAllowed(address.toString()) ? null : range;
}

function rangeOf(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  const range = address.range();
  if (EMBEDDING.has(range)) return 'embedded IPv4';
  if (range !== 'unicast') return range;
  if (address instanceof ipaddr.IPv6) return address.match(PUBLIC_IPV6) ? range : 'unassigned';
  return CLOUD_SERVICES.has(address.toString()) ? 'cloud service' : range;
}
