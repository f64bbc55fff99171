import ipaddr from 'ipaddr.js';

/** Whose a connection or a request is, where they are counted: the address; of IPv6 the /64, which a customer has all of. */
export function clientAddress(ip: string): string {
  if (!ipaddr.isValid(ip)) return '';
  // Also an address of IPv4 that is written as one of IPv6.
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  const parts = (address as ipaddr.IPv6).parts.slice(0, 4);
  return `${parts.map((part) => part.toString(16)).join(':')}::/64`;
}
