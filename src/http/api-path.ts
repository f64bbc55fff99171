/** The API's base path. Health, docs and similar routes are at the root. */
export const API_BASE = 'api/v1';

/** `@Controller(apiPath('tasks'))` */
export const apiPath = (path: string): string => `${API_BASE}/${path}`;
