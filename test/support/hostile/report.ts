import { HOSTILE_PROGRAMS } from './programs.js';

/** The results of all hostile programs, as in docs/sandbox.md: a language that runs on every runtime is bold. */
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
