#!/usr/bin/env bash
# The benchmarks, against the real services.
. "$(dirname "$0")/lib.sh"
"$DEV/up.sh"
need_settings
cd "$ROOT"
export PATH="$ROOT/node_modules/.bin:$PATH"
exec npm run --silent bench
