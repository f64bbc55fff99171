/** Ways out of a container that a release of runc has, and that a later one mended. */
export interface KnownEscape {
  readonly name: string;
  /** The first release of each line that has the mend; lines before the first one never got it. */
  readonly mendedIn: readonly Version[];
}

type Version = readonly [major: number, minor: number, patch: number];

/** From runc's security advisories (https://github.com/opencontainers/runc/security/advisories). */
const RUNC_ESCAPES: readonly KnownEscape[] = [
  { name: 'CVE-2024-21626 (leaked descriptors)', mendedIn: [[1, 1, 12]] },
  { name: 'CVE-2024-45310 (files made on the host)', mendedIn: [[1, 1, 14]] },
  {
    name: 'CVE-2025-31133, CVE-2025-52565, CVE-2025-52881 (masked paths, /dev/console, procfs writes)',
    mendedIn: [
      [1, 2, 8],
      [1, 3, 3],
    ],
  },
];

/**
 * Of runc alone: the engine tells no version of another runtime.
 * @param version as the engine tells it, e.g. `1.1.5+ds1`; a distribution may have mended more than it says
 */
export function knownEscapes(runtime: string, version: string | null): readonly string[] {
  const found = runtime === 'runc' && version !== null ? parseVersion(version) : null;
  if (found === null) return [];
  return RUNC_ESCAPES.filter(({ mendedIn }) => !isMended(found, mendedIn)).map(({ name }) => name);
}

function isMended(version: Version, mendedIn: readonly Version[]): boolean {
  const ofItsLine = mendedIn.find(([major, minor]) => major === version[0] && minor === version[1]);
  if (ofItsLine) return version[2] >= ofItsLine[2];
  // Of a line of its own: one begun after the newest mend has it, an older one never got it.
  const newest = mendedIn.at(-1)!;
  return version[0] > newest[0] || (version[0] === newest[0] && version[1] > newest[1]);
}

function parseVersion(text: string): Version | null {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  return parts ? (parts as unknown as Version) : null;
}
