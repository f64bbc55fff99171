// The flags of wollomatic/socket-proxy 1.13, as far as docker-compose.yml uses them, and what they
// refuse. Nothing is allowed by default; a flag not known here is an error, not a guess.
import { posix } from 'node:path';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'TRACE', 'OPTIONS'];

/** @param {string[]} args `-flag=value` each, `-allow<METHOD>=<regular expression>` any number of times. */
export function parseRules(args) {
  const rules = { listenIp: '127.0.0.1', allowFrom: [], healthcheck: false, requests: new Map(), bindMountsFrom: [] };
  for (const arg of args) {
    const [, flag, value = ''] = /^--?([a-zA-Z]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const method = METHODS.find((name) => flag === `allow${name}`);
    if (method) rules.requests.set(method, [...(rules.requests.get(method) ?? []), new RegExp(`^(?:${value})$`)]);
    else if (flag === 'listenip') rules.listenIp = value;
    else if (flag === 'allowfrom') rules.allowFrom = value.split(',');
    else if (flag === 'allowhealthcheck') rules.healthcheck = true;
    else if (flag === 'allowbindmountfrom')
      rules.bindMountsFrom = value.split(',').map((path) => posix.normalize(path));
    else throw new Error(`no such flag here: ${arg}`);
  }
  return rules;
}

/** Why a request is refused, as `{ status, reason }`; null when it is not. `url` is a path, with or without a query. */
export function refusalOf(rules, method, url) {
  const patterns = rules.requests.get(method);
  if (!patterns) return { status: 405, reason: 'method not allowed' };
  const path = pathOf(url);
  if (path === null || !patterns.some((pattern) => pattern.test(path))) {
    return { status: 403, reason: 'path not allowed' };
  }
  return null;
}

/** Whether the body must be seen before the request may pass. */
export const looksIntoBody = (rules, method, url) =>
  rules.bindMountsFrom.length > 0 &&
  method === 'POST' &&
  /^(\/v[0-9]+(\.[0-9]+)*)?\/containers\/(create|[^/]+\/update)$/.test(pathOf(url) ?? '');

/** Why a container's description is refused; null when it is not. What is no JSON is the engine's to refuse. */
export function bindMountRefusalOf(rules, body) {
  let description;
  try {
    description = JSON.parse(body);
  } catch {
    return null;
  }
  const refused = bindSources(description).find((source) => !isAllowed(rules, source));
  return refused === undefined ? null : { status: 403, reason: `bind mount not allowed: ${refused}` };
}

function pathOf(url) {
  try {
    return decodeURIComponent(url.split('?', 1)[0]);
  } catch {
    return null;
  }
}

/** What is mounted from the host: binds in both notations, and a volume whose driver makes it one. */
function bindSources(description) {
  // Names in any case, as the engine's own decoder takes them.
  const { hostconfig: host } = lowerKeys(description);
  const { binds, mounts } = lowerKeys(host);
  return [
    ...(binds ?? []).map((bind) => bind.split(':')[0]),
    ...(mounts ?? []).map(lowerKeys).flatMap(({ type, source, volumeoptions }) => {
      const { options } = lowerKeys(lowerKeys(volumeoptions).driverconfig);
      return [...(type === 'bind' ? [source] : []), ...(options?.device ? [options.device] : [])];
    }),
  ].filter((source) => source?.startsWith('/'));
}

const lowerKeys = (object) =>
  Object.fromEntries(Object.entries(object ?? {}).map(([key, value]) => [key.toLowerCase(), value]));

function isAllowed({ bindMountsFrom }, source) {
  const path = posix.normalize(source);
  return bindMountsFrom.some((folder) => folder === '/' || path === folder || path.startsWith(`${folder}/`));
}
