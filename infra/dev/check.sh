#!/usr/bin/env bash
# Types, lint, format, architecture, syntax of Lua and SQL, all at once (lint alone takes as long as the others together);
# then what each had to say, and the verdict.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
export PATH="$ROOT/node_modules/.bin:$PATH"
scripts=(typecheck lint format:check architecture syntax)
mkdir -p "$LOG_DIR"

run() { # run SCRIPT: its output and its time in a log of its own
  local begin log="$LOG_DIR/check-${1/:/-}.log"
  begin=$(now_ms)
  npm run --silent "$1" >"$log" 2>&1 || return 1
  note "$1: fine ($(($(now_ms) - begin)) ms)"
}

jobs=()
for script in "${scripts[@]}"; do
  run "$script" &
  jobs+=("$!")
done
failed=()
for i in "${!scripts[@]}"; do
  wait "${jobs[$i]}" || failed+=("${scripts[$i]}")
done
for script in "${failed[@]}"; do
  warn "$script:"
  cat "$LOG_DIR/check-${script/:/-}.log" >&2
done
[ ${#failed[@]} -eq 0 ] || die "check failed: ${failed[*]}"
say 'Check passed'
