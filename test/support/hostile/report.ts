import { HOSTILE_PROGRAMS } from './programs.js';

/** What each hostile program gets, as in docs/sandbox.md. Bold: the language that also runs on every other runtime. */
export const REPORT: readonly (readonly string[])[] = [
  ['the program wants', 'in', 'it gets', 'ends as'],
  ...HOSTILE_PROGRAMS.map(({ wants, scripts, everywhere, meets, expected }) => [
    wants,
    Object.keys(scripts)
      .map((language) => (language === everywhere ? `**${language}**` : language))
      .join(', '),
    meets,
    expected.reason!,
  ]),
];
