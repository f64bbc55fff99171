#!/usr/bin/env bash
# sbom.sh [FILE]: the bill of materials of what runs (CycloneDX), from the lockfile, without a network.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
out=${1:-sbom.cdx.json}
npm sbom --package-lock-only --sbom-format=cyclonedx --sbom-type=application | node "$DEV/sbom.mjs" >"$out.next" || {
  rm -f "$out.next"
  die 'npm sbom failed (see above)'
}
mv "$out.next" "$out"
say "Written: $out"
