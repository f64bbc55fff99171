import { InvalidConfig } from './load-config.js';

/** Of `voidrunner mcp`, which is a client of the service and has none of its settings. */
export interface McpSettings {
  readonly url: string;
  readonly apiKey: string;
}

/** @throws InvalidConfig with every fault */
export function loadMcpSettings(env: NodeJS.ProcessEnv = process.env): McpSettings {
  const url = env.VOIDRUNNER_URL?.trim() ?? '';
  const apiKey = env.VOIDRUNNER_API_KEY?.trim() ?? '';
  const faults = [
    ...(url === '' ? ['VOIDRUNNER_URL: is missing: the URL of the service, such as https://run.example.com'] : []),
    ...(url !== '' && !isHttp(url) ? ['VOIDRUNNER_URL: must be an http or https URL without credentials'] : []),
    ...(apiKey === '' ? ['VOIDRUNNER_API_KEY: is missing: create a key with POST /api/v1/keys'] : []),
  ];
  if (faults.length > 0) throw new InvalidConfig(faults);
  return { url, apiKey };
}

function isHttp(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
}
