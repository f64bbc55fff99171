/** Container escapes of a runc release that a later release fixed. */
export interface KnownEscape {
  readonly name: string;
  /** The first fixed release of each minor version; minor versions before the first one never got the fix. */
  readonly fixedIn: readonly Version[];
}

type Version = readonly [major: number, minor: number, patch: number];

/** From runc's security advisories (https://github.com/opencontainers/runc/security/advisories). */
const RUNC_ESCAPES: readonly KnownEscape[] = [
  { name: 'CVE-2024-21626 (leaked descriptors)', fixedIn: [[1, 1, 12]] },
  { name: 'CVE-2024-45310 (files made on the host)', fixedIn: [[1, 1, 14]] },
  {
    name: 'CVE-2025-31133, CVE-2025-52565, CVE-2025-52881 (masked paths, /dev/console, procfs writes)',
    fixedIn: [
      [1, 2, 8],
      [1, 3, 3],
    ],
  },
];

/**
 * For runc only: the engine does not report the version of other runtimes.
 * @param version as the engine reports it, e.g. `1.1.5+ds1`; a distribution may have backported fixes
 */
export function knownEscapes(runtime: string, version: string | null): readonly string[] {
  const found = runtime === 'runc' && version !== null ? parseVersion(version) : null;
  if (found === null) return [];
  return RUNC_ESCAPES.filter(({ fixedIn }) => !isFixed(found, fixedIn)).map(({ name }) => name);
}

function isFixed(version: Version, fixedIn: readonly Version[]): boolean {
  const sameMinor = fixedIn.find(([major, minor]) => major === version[0] && minor === version[1]);
  if (sameMinor) return version[2] >= sameMinor[2];
  // Minor versions after the newest fix have it; older ones without an entry never got it.
  const newest = fixedIn.at(-1)!;
  return version[0] > newest[0] || (version[0] === newest[0] && version[1] > newest[1]);
}

function parseVersion(text: string): Version | null {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  return parts ? (parts as unknown as Version) : null;
}
