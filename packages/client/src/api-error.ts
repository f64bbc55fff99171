import {
  ApiError,
  AuthenticationError,
  ConflictError,
  NotFoundError,
  PermissionError,
  RateLimitError,
  UnavailableError,
  ValidationError,
} from './errors.js';
import { retryAfterMs } from './transport/retry-after.js';

const MS_PER_SECOND = 1_000;

/** @param body as parsed, or the text of a response that is no JSON */
export function apiErrorOf(response: Response, body: unknown): ApiError {
  switch (response.status) {
    case 400:
    case 422:
      return new ValidationError(response, body);
    case 401:
      return new AuthenticationError(response, body);
    case 403:
      return new PermissionError(response, body);
    case 404:
      return new NotFoundError(response, body);
    case 409:
    case 412:
      return new ConflictError(response, body);
    case 429: {
      const ms = retryAfterMs(response.headers, Date.now());
      return new RateLimitError(response, body, ms === null ? null : Math.ceil(ms / MS_PER_SECOND));
    }
    case 502:
    case 503:
    case 504:
      return new UnavailableError(response, body);
    default:
      return new ApiError(response, body);
  }
}
