#!/usr/bin/env bash
# Watch mode: the app from its sources, restarted when one is saved.
. "$(dirname "$0")/lib.sh"
"$DEV/up.sh"
need_settings
if [ "$VOIDRUNNER_MODE" = native ]; then "$DEV/app.sh" stop; fi
cd "$ROOT"
preload=()
[ ! -f src/composition/telemetry.ts ] || preload=(--import ./src/composition/telemetry.ts)
exec "$NODE" --watch --enable-source-maps --import @swc-node/register/esm-register "${preload[@]}" src/main.ts
