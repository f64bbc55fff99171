/** Where the API lives; health, docs and the like stand at the root. */
export const API_BASE = 'api/v1';

/** `@Controller(apiPath('tasks'))` */
export const apiPath = (path: string): string => `${API_BASE}/${path}`;
