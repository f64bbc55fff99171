import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

interface Refusal {
  readonly status: number;
  readonly reason: string;
}
/** infra/stand-ins is not part of the TypeScript project. */
interface RulesModule {
  parseRules(args: readonly string[]): object;
  refusalOf(rules: object, method: string, url: string): Refusal | null;
  looksIntoBody(rules: object, method: string, url: string): boolean;
  bindMountRefusalOf(rules: object, body: string): Refusal | null;
}
const { parseRules, refusalOf, looksIntoBody, bindMountRefusalOf } = (await import(
  resolve('infra/stand-ins/socket-proxy/rules.mjs')
)) as RulesModule;

/** The flags that docker-compose.yml gives the proxy. */
const compose = readFileSync('docker-compose.yml', 'utf8');
const flags = [...compose.matchAll(/^ {6}- (-(?:allow|listen)\S+)$/gm)].map(([, flag]) => flag!);
const rules = parseRules(flags);

const CONTAINER = 'voidrunner-0f3c.a_b-1';

describe('the requests that docker-compose.yml allows the worker', () => {
  it.each([
    ['HEAD', '/_ping'],
    ['GET', '/_ping'],
    ['GET', '/version'],
    ['GET', '/info'],
    ['GET', '/v1.41/info'],
    ['GET', '/events?filters=%7B%7D'],
    ['GET', '/containers/json?all=1'],
    ['GET', `/containers/${CONTAINER}/json`],
    ['GET', '/images/voidrunner/python:latest/json'],
    ['POST', '/containers/create?name=one'],
    ['POST', `/containers/${CONTAINER}/attach?stream=1&stdin=1`],
    ['POST', `/containers/${CONTAINER}/start`],
    ['POST', `/containers/${CONTAINER}/wait?condition=next-exit`],
    ['POST', `/v1.41/containers/${CONTAINER}/kill`],
    ['DELETE', `/containers/${CONTAINER}?force=1&v=1`],
  ])('%s %s', (method, url) => {
    expect(refusalOf(rules, method, url)).toBeNull();
  });
});

describe('the requests that it refuses', () => {
  it.each([
    ['POST', `/containers/${CONTAINER}/exec`, 403],
    ['POST', '/exec/0f3c/start', 403],
    ['POST', '/images/create?fromImage=alpine', 403],
    ['POST', '/images/load', 403],
    ['POST', '/build', 403],
    ['POST', '/commit', 403],
    ['POST', '/volumes/create', 403],
    ['POST', '/networks/create', 403],
    ['POST', '/plugins/pull', 403],
    ['POST', '/swarm/init', 403],
    ['GET', `/containers/${CONTAINER}/archive?path=/`, 403],
    ['GET', `/containers/${CONTAINER}/logs`, 403],
    ['GET', '/volumes', 403],
    ['GET', '/containers/json/../../secrets', 403],
    ['GET', '/%', 403],
    ['HEAD', '/info', 403],
    ['DELETE', '/images/voidrunner/python', 403],
    ['DELETE', `/containers/${CONTAINER}/x`, 403],
    ['PUT', `/containers/${CONTAINER}/archive`, 405],
    ['OPTIONS', '/_ping', 405],
  ])('%s %s: %i', (method, url, status) => {
    expect(refusalOf(rules, method, url)).toMatchObject({ status });
  });
});

describe('bind mounts', () => {
  it.each(['/containers/create', '/v1.41/containers/create', '/containers/one/update'])('are checked in %s', (url) => {
    expect(looksIntoBody(rules, 'POST', url)).toBe(true);
  });

  it('are not checked in requests without a container', () => {
    expect(looksIntoBody(rules, 'POST', '/containers/one/start')).toBe(false);
  });

  const device = { VolumeOptions: { DriverConfig: { Options: { type: 'none', o: 'bind', device: '/etc' } } } };
  it.each([
    ['a bind', { HostConfig: { Binds: ['/:/host'] } }],
    ['a bind of what the flag names, left by ..', { HostConfig: { Binds: ['/no-bind-mounts/../etc:/host'] } }],
    ['a mount', { HostConfig: { Mounts: [{ Type: 'bind', Source: '/etc', Target: '/host' }] } }],
    ['a volume of a host folder', { HostConfig: { Mounts: [{ Type: 'volume', Target: '/host', ...device }] } }],
    ['names in another case', { hostconfig: { binds: ['/:/host'] } }],
  ])('%s is refused', (_what, description) => {
    expect(bindMountRefusalOf(rules, JSON.stringify(description))).toMatchObject({ status: 403 });
  });

  it('a container without bind mounts is allowed', () => {
    const description = { Image: 'voidrunner/python', HostConfig: { Tmpfs: { '/tmp': 'rw' }, Binds: null } };
    expect(bindMountRefusalOf(rules, JSON.stringify(description))).toBeNull();
  });
});

it('an unknown flag is refused', () => {
  expect(() => parseRules(['-denyeverything'])).toThrow('no such flag here: -denyeverything');
});

it('nothing is allowed by default', () => {
  expect(refusalOf(parseRules([]), 'GET', '/_ping')).toMatchObject({ status: 405 });
});
