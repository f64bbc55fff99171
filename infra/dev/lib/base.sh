# Sourced by every entry: shell options, paths, messages, usage, and the parts that several entries use.
set -euo pipefail
shopt -s inherit_errexit
# Whatever umask root has: services and the app run as users of their own. Files with secrets get their mode by name.
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd -P)
DEV="$ROOT/infra/dev"
LIB="$DEV/lib"
# shellcheck disable=SC2034 # one entry uses neither
NODE="$ROOT/node_modules/.bin/node" PROGRAMS="$DEV/programs"

# Another home is another instance, with settings, services and a lock of its own (test-compose.sh).
use_home() { HOME_DIR=$1 LOG_DIR="$1/log" PID_DIR="$1/pid" SETTINGS="$1/dev.env"; }
use_home "${VOIDRUNNER_HOME:-$ROOT/.voidrunner}"

say() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
warn() { printf '!!! %s\n' "$*" >&2; }
die() { warn "$@"; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }
have() { command -v "$1" >/dev/null 2>&1; }
hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# Wall clock, to report how long a step took.
now_ms() { date +%s%3N; }

# logged NAME FAILURE COMMAND...: writes the output of COMMAND to the log NAME. If COMMAND fails, prints the
# end of that log and dies with the message FAILURE.
logged() {
  local log="$LOG_DIR/$1.log" failure=$2
  shift 2
  "$@" >"$log" 2>&1 || { tail -n 30 "$log" >&2; die "$failure; the whole log: $log"; }
}

# npm_run SCRIPT...: a script of package.json, on the project's own Node.
npm_run() { (cd "$ROOT" && PATH="$ROOT/node_modules/.bin:$PATH" exec npm run --silent "$@"); }

# An entry documents each subcommand by a line `#: NAME ARGUMENTS  what it does` in its `case`.
usage() {
  printf 'usage: infra/dev/%s SUBCOMMAND\n' "${0##*/}"
  sed -n 's/^ *#: //p' "$DEV/${0##*/}" | awk -F '  +' '{ printf "  %-34s %s\n", $1, $2 }'
}
refuse() {
  case "${1:-}" in help | --help) usage; exit ;; esac
  usage >&2
  exit 2
}

. "$LIB/lock.sh"
. "$LIB/settings.sh"
. "$LIB/ports.sh"
. "$LIB/processes.sh"
. "$LIB/docker.sh"
. "$LIB/compose.sh"
. "$LIB/containers.sh"
. "$LIB/base-image.sh"
. "$LIB/services/postgres.sh"
