#!/usr/bin/env bash
# Prints where the services of instance $1 keep their data: .voidrunner/state, unless their
# unprivileged users cannot reach it (a checkout under /root or mktemp -d), then /var/lib.
. "$(dirname "$0")/lib.sh"

state="$HOME_DIR/state"
if is_root && id postgres >/dev/null 2>&1; then
  mkdir -p "$state"
  setpriv --reuid=postgres --regid=postgres --clear-groups test -x "$state" ||
    state=/var/lib/voidrunner/${1:?usage: state-dir.sh INSTANCE}
fi
printf '%s\n' "$state"
