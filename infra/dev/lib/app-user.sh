# Runs a command as the native app runs: without the passwords of the database's owner and superuser and, if root
# starts it, as a user that has only a number. That user sees only the parts of the checkout that the app reads,
# read-only and in a folder that it can enter (a clone may be under /root). It reaches the engine's socket by the
# socket's group.

# exec_as_app_user COMMAND...: replaces this process.
exec_as_app_user() {
  # The app gets only its own database role. The owner's is for migrations.
  unset DB_OWNER_USER DB_OWNER_PASSWORD DB_SUPERUSER_PASSWORD
  cd "$ROOT"
  is_root || exec "$@"

  local uid=$VOIDRUNNER_APP_UID view="$VOIDRUNNER_RUN_DIR/app" profile=${EXECUTOR_SECCOMP_PROFILE:-seccomp/cell.json}
  local runtimes=${RUNTIMES_DIR:-runtimes}
  # Root works in here: no part of it may belong to the app, except its home folder.
  [ ! -e "$view" ] || [ "$(stat -c %u "$view")" = 0 ] || rm -rf "$view"
  install -d -m 755 "$view" "$view/checkout" "$view/checkout/dist" "$view/checkout/node_modules"
  install -d -m 700 -o "$uid" -g "$uid" "$view/home"
  install -m 644 package.json "$view/checkout/package.json"
  case "$profile" in /*) ;; *) install -D -m 644 "$profile" "$view/checkout/$profile" ;; esac
  case "$runtimes" in /*) ;; *)
    rm -rf "${view:?}/checkout/$runtimes"
    install -D -m 644 -t "$view/checkout/$runtimes" "$runtimes"/*.yaml
    ;;
  esac

  local traces=${OTEL_TRACES_FILE:-}
  if [ -n "$traces" ]; then
    [ -e "$traces" ] || : >"$traces"
    chown -h "$uid:$uid" "$traces"
    [ -e "$view/traces.jsonl" ] || : >"$view/traces.jsonl"
    export OTEL_TRACES_FILE="$view/traces.jsonl"
  fi

  local socket=${DOCKER_ENDPOINT#unix://} groups=$uid
  [ ! -S "$socket" ] || groups=$(stat -c %g "$socket")
  HOME="$view/home" exec unshare --mount --propagation private sh -c "$in_its_view" sh "$ROOT" "$view" "$traces" \
    setpriv --reuid="$uid" --regid="$uid" --groups="$groups" --no-new-privs --inh-caps=-all --bounding-set=-all "$@"
}

# shellcheck disable=SC2016 # the inner shell expands these
in_its_view='
  root=$1 view=$2 traces=$3
  shift 3
  for part in dist node_modules; do
    mount --bind "$root/$part" "$view/checkout/$part" && mount -o remount,bind,ro "$view/checkout/$part" || exit 1
  done
  [ -z "$traces" ] || mount --bind "$traces" "$view/traces.jsonl" || exit 1
  cd "$view/checkout" && exec "$@"'
