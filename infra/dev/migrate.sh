#!/usr/bin/env bash
# migrate.sh up|down: the schema, as its owner.
. "$(dirname "$0")/lib.sh"
need_settings
say "Migrating ${1:?usage: migrate.sh up|down}"
exec "$ROOT/bin/voidrunner" migrate "$1"
