# The packages of npm, in the root and in a folder of its own what only the client tests need: npm ci, if what is
# installed differs from package-lock.json.

install_dependencies() {
  if ! have node || ! have npm; then die 'Node.js 20 or newer and npm are needed (https://nodejs.org)'; fi
  cd "$ROOT"
  if node "$PROGRAMS/dependencies-current.mjs" && [ -x "$NODE" ]; then
    say 'Dependencies are up to date'
    return
  fi
  npm_ci npm 'dependencies'
  # The package installs its binary with a script; nothing else works without it.
  "$NODE" --version >/dev/null || die "$NODE does not run (does npm ignore scripts?)"
}

install_client_generators() {
  cd "$ROOT/test/clients"
  if node "$PROGRAMS/dependencies-current.mjs"; then
    say 'The client generators (test/clients) are up to date'
    return
  fi
  npm_ci npm-clients 'the client generators (test/clients)' --ignore-scripts
}

npm_ci() { # LOG WHAT ARGUMENT...: in the current folder
  local begin=$SECONDS
  say "Installing $2: npm ci"
  logged "$1" 'npm ci failed' npm ci --no-audit --no-fund --prefer-offline "${@:3}"
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
