import proxyAddr from '@fastify/proxy-addr';

import {
  hostOf,
  refusalOfHost,
  refusalOfUrl,
  URL_CHARS_MAX,
  type UrlRules,
} from '../../../src/webhook-endpoints/webhook-url.js';

const rules = (networks: string[] = [], allowHttp = false): UrlRules => {
  const isAllowed = proxyAddr.compile(networks);
  return { allowHttp, isAllowedAddress: (address) => isAllowed(address, 0) };
};
const ruleOf = (url: string, by = rules()) => refusalOfUrl(url, by)?.rule ?? null;

describe('every notation of an address that is not public', () => {
  test.each([
    'https://127.0.0.1/',
    'https://127.0.0.1:8443/hook?a=b',
    'https://127.1/',
    'https://127.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7F.0x0.0x0.0x1/',
    'https://0177.0.0.1/',
    'https://017700000001/',
    'https://00000177.1/',
    'https://127.0.0.1./',
    'https://0/',
    'https://0.0.0.0/',
    'https://10.1/',
    'https://167772161/',
    'https://192.168.1/',
    'https://3232235777/',
    'https://169.254.169.254/latest/meta-data/',
    'https://0xa9fea9fe/',
    'https://2852039166/',
    'https://0251.0376.0251.0376/',
    'https://4294967295/',
    // Full-width digits and dots, an ideographic full stop, percent-encoded.
    'https://１２７.０.０.１/',
    'https://１２７。０。０。１/',
    'https://127%2E0%2E0%2E1/',
    'https://%31%32%37.0.0.1/',
    'https://①②⑦.⓪.⓪.①/',
    'https://[::1]/',
    'https://[0:0:0:0:0:0:0:1]:443/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[::127.0.0.1]/',
    'https://[::ffff:0:127.0.0.1]/',
    'https://[64:ff9b::127.0.0.1]/',
    'https://[2002:7f00:1::]/',
    'https://[fd00:ec2::254]/',
    'https://[fe80::1]/',
    'https:127.0.0.1/',
    'https:\\\\127.0.0.1\\',
    'HTTPS://127.0.0.1/',
    'ht\ntps://127.0\t.0.1/',
    ' https://127.0.0.1/ ',
  ])('%j', (url) => expect(ruleOf(url)).toBe('address'));
});

test.each([
  ['https://user@example.com/', 'userinfo'],
  ['https://user:secret@example.com/', 'userinfo'],
  ['https://:secret@example.com/', 'userinfo'],
  ['https://example.com@127.0.0.1/', 'userinfo'],
  ['https://127.0.0.1@example.com/', 'userinfo'],
  ['https://127.0.0.1:80@example.com/', 'userinfo'],
  ['https://example.com/#fragment', 'fragment'],
  ['https://example.com#@127.0.0.1/', 'fragment'],
  ['http://example.com/', 'scheme'],
  ['HTTP://example.com/', 'scheme'],
  ['ftp://example.com/', 'scheme'],
  ['ws://example.com/', 'scheme'],
  ['wss://example.com/', 'scheme'],
  ['gopher://example.com:70/', 'scheme'],
  ['file:///etc/passwd', 'url'],
  ['javascript:alert(1)', 'url'],
  ['data:text/plain,x', 'url'],
  ['blob:https://example.com/1', 'url'],
  ['//example.com/', 'url'],
  ['example.com', 'url'],
  ['/hook', 'url'],
  ['', 'url'],
  ['https://', 'url'],
  ['https:///', 'url'],
  ['https://exa mple.com/', 'url'],
  ['https://example.com:99999/', 'url'],
  ['https://1.2.3.4.5/', 'url'],
  ['https://256.0.0.1/', 'url'],
  ['https://[::1/', 'url'],
  ['https://[fe80::1%25eth0]/', 'url'],
  ['https://[::ffff:999.0.0.1]/', 'url'],
  [`https://example.com/${'x'.repeat(URL_CHARS_MAX)}`, 'length'],
])('%j: %s', (url, rule) => expect(ruleOf(url)).toBe(rule));

test.each([
  'https://example.com/',
  'https://example.com:8443/hook?token=abc&x=%20',
  'HTTPS://EXAMPLE.COM/',
  'https://example.com./',
  'https://bücher.example/',
  'https://8.8.8.8/',
  'https://[2606:4700::1111]/',
  `https://example.com/${'x'.repeat(URL_CHARS_MAX - 'https://example.com/'.length)}`,
])('%s may be used', (url) => expect(refusalOfUrl(url, rules())).toBeNull());

test('networks that the operator allows, and no others', () => {
  const by = rules(['10.0.0.0/8', 'fd00::/8']);
  expect(ruleOf('https://10.1.2.3/', by)).toBeNull();
  expect(ruleOf('https://[::ffff:10.1.2.3]/', by)).toBeNull();
  expect(ruleOf('https://[fd00:ec2::254]/', by)).toBeNull();
  expect(ruleOf('https://11.1.2.3/', by)).toBeNull();
  for (const other of ['127.0.0.1', '192.168.0.1', '[fc00::1]', '[::a01:203]', '[64:ff9b::10.1.2.3]'])
    expect(ruleOf(`https://${other}/`, by)).toBe('address');
});

test('http outside production', () => {
  expect(ruleOf('http://example.com/', rules([], true))).toBeNull();
  expect(ruleOf('http://127.0.0.1/', rules([], true))).toBe('address');
  expect(ruleOf('ftp://example.com/', rules([], true))).toBe('scheme');
});

test('the host of a URL', () => {
  expect(hostOf(new URL('https://[::1]:8443/'))).toBe('::1');
  expect(hostOf(new URL('https://Example.COM./'))).toBe('example.com');
  expect(hostOf(new URL('https://0x7f.1/'))).toBe('127.0.0.1');
});

test('a host is refused if it has only addresses that are', () => {
  expect(refusalOfHost(['10.0.0.1', '::1'], rules())).toEqual({
    rule: 'address',
    message: 'leads to an address that is not public (private)',
  });
  expect(refusalOfHost(['10.0.0.1', '8.8.8.8'], rules())).toBeNull();
  expect(refusalOfHost([], rules())).toBeNull();
});
