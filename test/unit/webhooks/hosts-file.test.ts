import { namedIn } from '../../../src/webhook-endpoints/host-addresses.js';

const FILE = `# a comment
127.0.0.1 localhost
10.0.0.7\treceiver.internal  Receiver.Local # and another
   fd00::7 receiver.internal

10.0.0.8
`;

test('the addresses of a name', () => {
  expect(namedIn(FILE, 'receiver.internal')).toEqual(['10.0.0.7', 'fd00::7']);
  expect(namedIn(FILE, 'receiver.local')).toEqual(['10.0.0.7']);
});

test.each(['internal', '10.0.0.7', '#', 'and', ''])('%j has none', (host) => expect(namedIn(FILE, host)).toEqual([]));
