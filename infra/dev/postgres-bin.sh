#!/usr/bin/env bash
# Prints the folder of the newest PostgreSQL server here that is at least 15. Debian keeps them
# outside PATH, one folder a major version.
. "$(dirname "$0")/lib.sh"

candidates=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -t/ -k5,5rn || true)
in_path=$(command -v initdb || true)
for bin in $candidates ${in_path:+"${in_path%/*}"}; do
  [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] && [ -x "$bin/psql" ] || continue
  major=$("$bin/postgres" --version | grep -oE '[0-9]+' | head -n 1)
  [ "$major" -ge 15 ] || continue
  printf '%s\n' "$bin"
  exit 0
done
exit 1
