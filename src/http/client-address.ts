import ipaddr from 'ipaddr.js';

/** The key for counting connections and requests: the IPv4 address, or the IPv6 /64, which belongs to one customer. */
export function clientAddress(ip: string): string {
  if (!ipaddr.isValid(ip)) return '';
  // Also converts IPv4-mapped IPv6 addresses to IPv4.
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  const parts = (address as ipaddr.IPv6).parts.slice(0, 4);
  return `${parts.map((part) => part.toString(16)).join(':')}::/64`;
}
