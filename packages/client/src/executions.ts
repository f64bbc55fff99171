import type { Execution } from './api-objects.js';
import type { Http } from './http.js';
import { signalOf, unwrap } from './unwrap.js';

export const getExecution = (http: Http, id: string, signal?: AbortSignal): Promise<Execution> =>
  unwrap(http.GET('/api/v1/executions/{id}', { params: { path: { id } }, ...signalOf({ signal }) }));
