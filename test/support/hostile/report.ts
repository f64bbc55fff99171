import { HOSTILE_PROGRAMS } from './programs.js';

/** What each hostile program meets, as docs/sandbox.md tells it: a language in which it runs on every runtime is bold. */
export const REPORT: readonly (readonly string[])[] = [
  ['it wants', 'in', 'it meets', 'ends as'],
  ...HOSTILE_PROGRAMS.map(({ wants, scripts, everywhere, meets, expected }) => [
    wants,
    Object.keys(scripts)
      .map((language) => (language === everywhere ? `**${language}**` : language))
      .join(', '),
    meets,
    expected.reason!,
  ]),
];
