#!/usr/bin/env bash
# npm ci, when what is installed is not what package-lock.json says.
. "$(dirname "$0")/lib.sh"
lock_checkout
cd "$ROOT"

have node && have npm || die 'Node.js 20 or newer and npm are needed (Debian: https://nodejs.org)'
if node "$DEV/dependencies-current.mjs" && [ -x "$NODE" ]; then
  say 'Dependencies are up to date'
  exit 0
fi
say 'Installing dependencies: npm ci'
mkdir -p "$HOME_DIR" && mkdir -p -m 700 "$LOG_DIR"
begin=$(now_ms)
npm ci --no-audit --no-fund --prefer-offline >"$LOG_DIR/npm.log" 2>&1 || {
  tail -n 30 "$LOG_DIR/npm.log" >&2
  die "npm ci failed; the whole log: $LOG_DIR/npm.log"
}
# The package brings its binary with an install script; without it nothing else works.
"$NODE" --version >/dev/null || die "$NODE does not run (was npm told to ignore scripts?)"
note "npm ci took $((($(now_ms) - begin) / 1000)) s"
