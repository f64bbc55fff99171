import { InvalidArgumentError } from 'commander';

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An id of the API. The text is not repeated: it may be a key by mistake. */
export function idArgument(text: string): string {
  if (!ID.test(text)) throw new InvalidArgumentError('Expected an id, such as 01980000-0000-7000-8000-000000000000.');
  return text.toLowerCase();
}
