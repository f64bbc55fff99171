import { InvalidArgumentError } from 'commander';

export const wholeNumberArgument = wholeNumberBetween(0, 999_999_999_999_999);

/** @returns a parser for a whole-number argument within bounds, both included */
export function wholeNumberBetween(min: number, max: number): (text: string) => number {
  const bounds = min === 0 ? 'Expected a whole number.' : `Expected a whole number from ${min} to ${max}.`;
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= min && number <= max)) throw new InvalidArgumentError(bounds);
    return number;
  };
}
