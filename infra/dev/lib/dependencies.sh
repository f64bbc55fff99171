# The packages of npm: npm ci, if what is installed differs from package-lock.json.

install_dependencies() {
  if ! have node || ! have npm; then die 'Node.js 20 or newer and npm are needed (https://nodejs.org)'; fi
  cd "$ROOT"
  if node "$PROGRAMS/dependencies-current.mjs" && [ -x "$NODE" ]; then
    say 'Dependencies are up to date'
    return
  fi
  say 'Installing dependencies: npm ci'
  local begin=$SECONDS
  logged npm 'npm ci failed' npm ci --no-audit --no-fund --prefer-offline
  # The package installs its binary with a script; nothing else works without it.
  "$NODE" --version >/dev/null || die "$NODE does not run (does npm ignore scripts?)"
  note "npm ci took $((SECONDS - begin)) s"
}

# write_sbom FILE: the bill of materials of what runs, from the lockfile.
write_sbom() {
  cd "$ROOT"
  npm sbom --package-lock-only --sbom-format=cyclonedx --sbom-type=application |
    node "$PROGRAMS/sbom.mjs" >"$1.next" || { rm -f "$1.next"; die 'npm sbom failed (see above)'; }
  mv "$1.next" "$1"
  say "Written: $1"
}
