import { refusalOfAddress } from '../../../src/webhook-endpoints/refused-address.js';

const nothing = () => false;
const refusal = (address: string) => refusalOfAddress(address, nothing);

describe('nothing is sent to an address that is not public', () => {
  // The registries of RFC 6890 as they are today, their first and last addresses, and clouds' own.
  test.each([
    ...['0.0.0.0', '0.255.255.255'].map((address) => [address, 'unspecified']),
    ...['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'].map(
      (address) => [address, 'private'],
    ),
    ...['100.64.0.0', '100.127.255.255', '100.100.100.200'].map((address) => [address, 'carrierGradeNat']),
    ...['127.0.0.0', '127.0.0.1', '127.1.2.3', '127.255.255.255'].map((address) => [address, 'loopback']),
    ...['169.254.0.0', '169.254.169.254', '169.254.170.2', '169.254.255.255'].map((address) => [address, 'linkLocal']),
    ...['192.0.0.0', '192.0.0.8', '192.0.0.192', '192.0.0.255', '192.0.2.1', '192.88.99.1'].map((address) => [
      address,
      'reserved',
    ]),
    ...['198.18.0.0', '198.19.255.255', '198.51.100.1', '203.0.113.255', '240.0.0.0', '255.255.255.254'].map(
      (address) => [address, 'reserved'],
    ),
    ...['192.31.196.1', '192.175.48.1'].map((address) => [address, 'as112']),
    ['192.52.193.1', 'amt'],
    ...['224.0.0.0', '224.0.0.251', '239.255.255.255'].map((address) => [address, 'multicast']),
    ['255.255.255.255', 'broadcast'],
    ['168.63.129.16', 'cloud service'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ...[
      '::2',
      '::7f00:1',
      '::a00:1',
      '::ffff',
      '0:1::1',
      '1000::1',
      '4000::1',
      '8000::1',
      'e000::1',
      '100:0:0:1::1',
    ].map((address) => [address, 'unassigned']),
    ['100::1', 'discard'],
    ...['64:ff9b::a00:1', '64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::1', '::ffff:0:a00:1'].map((address) => [
      address,
      'embedded IPv4',
    ]),
    ...['2002:7f00:1::', '2002:a9fe:a9fe::1', '2001::1', '2001:0:a00:1::'].map((address) => [address, 'embedded IPv4']),
    ['2001:2::1', 'benchmarking'],
    ['2001:10::1', 'deprecatedOrchid'],
    ['2001:20::1', 'orchid2'],
    ...['2001:db8::1', '3fff::1', '2001:1::1'].map((address) => [address, 'reserved']),
    ['5f00::1', 'segmentRouting'],
    ...['fc00::1', 'fd00::1', 'fd00:ec2::254', 'fdff:ffff::1'].map((address) => [address, 'uniqueLocal']),
    ...['fe80::1', 'febf::1', 'fe80::1%eth0'].map((address) => [address, 'linkLocal']),
    ['fec0::1', 'deprecatedSiteLocal'],
    ...['ff02::1', 'ff0e::1'].map((address) => [address, 'multicast']),
    ...['::ffff:10.0.0.1', '::ffff:a00:1'].map((address) => [address, 'private']),
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:7f00:1'].map((address) => [address, 'loopback']),
    ['::ffff:169.254.169.254', 'linkLocal'],
    ['::ffff:168.63.129.16', 'cloud service'],
    ...['', 'localhost', '1.2.3.4.5', '1::2::3', '256.1.1.1', '[::1]'].map((address) => [address, 'malformed']),
  ])('%s: %s', (address, reason) => expect(refusal(address)).toBe(reason));
});

test.each(['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0', '11.0.0.0'])(
  '%s is public',
  (address) => expect(refusal(address)).toBeNull(),
);

test.each(['2606:4700::1111', '2a00:1450::1', '2001:4860:4860::8888', '::ffff:8.8.8.8'])('%s is public', (address) =>
  expect(refusal(address)).toBeNull(),
);

describe('the operator allows addresses', () => {
  const allowed = (...addresses: string[]) => addresses.includes.bind(addresses);

  test.each(['10.0.0.1', '127.0.0.1', '169.254.169.254', '168.63.129.16', 'fd00::1', '::1'])('%s', (address) =>
    expect(refusalOfAddress(address, allowed(address))).toBeNull(),
  );

  test('one that is mapped into IPv6 is judged as IPv4', () => {
    expect(refusalOfAddress('::ffff:10.0.0.1', allowed('10.0.0.1'))).toBeNull();
  });

  test('no other way to write IPv4 in IPv6', () => {
    for (const address of ['64:ff9b::a00:1', '2002:a00:1::', '::a00:1', '::ffff:0:a00:1'])
      expect(refusalOfAddress(address, allowed('10.0.0.1'))).not.toBeNull();
  });
});
