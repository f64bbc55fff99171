#!/usr/bin/env bash
# One of jest's projects: test-one.sh unit|integration|e2e. Only unit tests do without services.
. "$(dirname "$0")/lib.sh"
project=${1:?usage: test-one.sh unit|integration|e2e}
if [ "$project" = unit ]; then "$DEV/dependencies.sh"; else "$DEV/up.sh"; fi
load_settings
cd "$ROOT"
export PATH="$ROOT/node_modules/.bin:$PATH"
exec npm run --silent jest -- --selectProjects "$project"
