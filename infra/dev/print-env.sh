#!/usr/bin/env bash
# KEY=value lines of the settings in force, for tools that want to connect.
. "$(dirname "$0")/lib.sh"
need_settings
for file in "$SETTINGS" "$ROOT/.env"; do
  [ ! -f "$file" ] || sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p' "$file"
done | sort -u | while read -r key; do printf '%s=%s\n' "$key" "${!key}"; done
