# The settings in force. Order of precedence: the environment, .env (not in another home), what setup generated.

# Parsed, not sourced: a value never runs as shell.
load_settings() {
  local file line key files=("$ROOT/.env" "$SETTINGS")
  [ -z "${VOIDRUNNER_HOME:-}" ] || files=("$SETTINGS")
  for file in "${files[@]}"; do
    [ -f "$file" ] || continue
    while IFS= read -r line || [ -n "$line" ]; do
      case "$line" in '' | '#'*) continue ;; *=*) ;; *) continue ;; esac
      key=${line%%=*}
      [[ $key =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || continue
      line=${line#*=}
      case "$line" in \"*\") line=${line#\"} line=${line%\"} ;; \'*\') line=${line#\'} line=${line%\'} ;; esac
      [ -n "${!key+set}" ] || export "$key=$line"
    done <"$file"
  done
}

need_settings() {
  [ -f "$SETTINGS" ] || die "no settings yet: run 'make setup' first"
  grep -q '^VOIDRUNNER_MODE=' "$SETTINGS" || die "the settings are of an earlier version: run 'make setup' first"
  load_settings
}

# One setting in force, read afresh, without loading the others into this shell.
setting() { (need_settings && printf '%s' "${!1:-}"); }

# One setting as setup generated it; nothing if there is none.
generated_setting() { sed -n "s/^$1=//p" "$SETTINGS" 2>/dev/null || true; }

# Replaces or adds one generated setting, in this shell and, by one rename, in the file.
put_setting() {
  local key=$1 value=$2 next="$SETTINGS.next"
  (umask 077 && { grep -v "^$key=" "$SETTINGS" || true; } >"$next" && printf '%s=%s\n' "$key" "$value" >>"$next")
  mv "$next" "$SETTINGS"
  export "$key=$value"
}

# KEY=value lines of the settings in force.
print_settings() {
  local file key
  for file in "$SETTINGS" "$ROOT/.env"; do
    [ ! -f "$file" ] || sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p' "$file"
  done | sort -u | while read -r key; do printf '%s=%s\n' "$key" "${!key}"; done
}
