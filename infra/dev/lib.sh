# Sourced by every script in this folder: where things are, how to speak, settings, processes.
# shellcheck shell=bash disable=SC2034
set -euo pipefail
# Whatever root's is: services and the app run as users of their own. What is secret is given its mode by name.
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
DEV="$ROOT/infra/dev"
# Another home is another instance: settings, services and lock of its own (test-compose.sh).
HOME_DIR="${VOIDRUNNER_HOME:-$ROOT/.voidrunner}"
LOG_DIR="$HOME_DIR/log"
PID_DIR="$HOME_DIR/pid"
SETTINGS="$HOME_DIR/dev.env"
NODE="$ROOT/node_modules/.bin/node"

say() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
warn() { printf '!!! %s\n' "$*" >&2; }
die() { printf '!!! %s\n' "$*" >&2; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }
have() { command -v "$1" >/dev/null 2>&1; }

engine() { docker --host "$DOCKER_ENDPOINT" "$@"; }

# An engine before 23 has no BuildKit by default; a newer client would ask for it.
choose_builder() {
  local major
  major=$(engine version --format '{{.Server.Version}}' | cut -d. -f1)
  [ "$major" -ge 23 ] || export DOCKER_BUILDKIT=0
}

# Milliseconds on the wall, to say how long a step took.
now_ms() { date +%s%3N; }

# One writer at a time per checkout: two terminals, or a test run beside `make dev-up`, would
# otherwise choose settings or start services twice. The lock dies with the script (fd 9), and
# a script started under it inherits it instead of waiting for its own parent.
lock_checkout() {
  mkdir -p "$HOME_DIR"
  [ "${VOIDRUNNER_LOCKED:-}" = "$HOME_DIR" ] && return
  exec 9>"$HOME_DIR/lock"
  if ! flock -n 9; then
    note 'another make target is at work in this checkout: waiting for it (at most 15 minutes)'
    flock -w 900 9 || die "still locked after 15 minutes: $HOME_DIR/lock"
  fi
  export VOIDRUNNER_LOCKED="$HOME_DIR"
}

# The settings in force: what the environment says, else .env (not in another home), else what setup
# generated. Parsed, not sourced: a value is never run as shell.
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
  [ -f "$SETTINGS" ] || die 'no settings yet: run `make setup` first'
  grep -q '^VOIDRUNNER_MODE=' "$SETTINGS" || die 'the settings are of an earlier version: run `make setup` first'
  load_settings
}

# One setting in force, read afresh, without loading the others into this shell.
setting() { (need_settings && printf '%s' "${!1:-}"); }

# Replaces (or adds) one generated setting, here and in the file, in one rename.
put_setting() {
  local key=$1 value=$2 next="$SETTINGS.next"
  (umask 077 && { grep -v "^$key=" "$SETTINGS" || true; } >"$next" && printf '%s=%s\n' "$key" "$value" >>"$next")
  mv "$next" "$SETTINGS"
  export "$key=$value"
}

# True when somebody listens on 127.0.0.1:$1 (a wildcard listener answers there too).
port_busy() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port PREFERRED [ELSE]: the first free port from PREFERRED upwards; given ELSE, PREFERRED
# itself or the first from ELSE upwards (8081 is for the documentation).
free_port() {
  local port=$1 last
  if [ -n "${2:-}" ] && port_busy "$port"; then port=$2; fi
  last=$((port + 200))
  while port_busy "$port"; do
    port=$((port + 1))
    [ "$port" -le "$last" ] || die "no free port between $1 and $last"
  done
  printf '%s' "$port"
}

hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
