#!/usr/bin/env bash
# app-user.sh COMMAND...: runs a command in place of itself as the app is run: without the passwords of the
# database's owner and superuser, and where root starts it, as a user that has nothing but a number. Of the
# checkout that user sees what the app reads, read-only and at a place that it can reach (a clone under
# /root); the engine's socket it reaches by the socket's group.
. "$(dirname "$0")/lib.sh"
need_settings
# Of the database it gets the application's role alone; whose schema it is, is for migrate.sh.
unset DB_OWNER_USER DB_OWNER_PASSWORD DB_SUPERUSER_PASSWORD
cd "$ROOT"
is_root || exec "$@"

uid=$VOIDRUNNER_APP_UID
view="$VOIDRUNNER_RUN_DIR/app"
profile=${EXECUTOR_SECCOMP_PROFILE:-seccomp/cell.json}

# Root works in here: no part of it may be the app's, except the folder that it gets as its home.
[ ! -e "$view" ] || [ "$(stat -c %u "$view")" = 0 ] || rm -rf "$view"
install -d -m 755 "$view" "$view/checkout" "$view/checkout/dist" "$view/checkout/node_modules"
install -d -m 700 -o "$uid" -g "$uid" "$view/home"
install -m 644 package.json "$view/checkout/package.json"
case "$profile" in /*) ;; *) install -D -m 644 "$profile" "$view/checkout/$profile" ;; esac

traces=${OTEL_TRACES_FILE:-}
if [ -n "$traces" ]; then
  [ -e "$traces" ] || : >"$traces"
  chown -h "$uid:$uid" "$traces"
  [ -e "$view/traces.jsonl" ] || : >"$view/traces.jsonl"
  export OTEL_TRACES_FILE="$view/traces.jsonl"
fi

socket=${DOCKER_ENDPOINT#unix://}
groups=$uid
[ ! -S "$socket" ] || groups=$(stat -c %g "$socket")

IN_ITS_VIEW='
  root=$1 view=$2 traces=$3
  shift 3
  for part in dist node_modules; do
    mount --bind "$root/$part" "$view/checkout/$part" && mount -o remount,bind,ro "$view/checkout/$part" || exit 1
  done
  [ -z "$traces" ] || mount --bind "$traces" "$view/traces.jsonl" || exit 1
  cd "$view/checkout" && exec "$@"'

HOME="$view/home" exec unshare --mount --propagation private sh -c "$IN_ITS_VIEW" sh "$ROOT" "$view" "$traces" \
  setpriv --reuid="$uid" --regid="$uid" --groups="$groups" --no-new-privs --inh-caps=-all --bounding-set=-all "$@"
