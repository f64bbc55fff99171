#!/usr/bin/env bash
# The app in the background: app.sh start|stop|status. A running one is kept when it runs this very
# build with these very settings.
. "$(dirname "$0")/lib.sh"
. "$DEV/process.sh"
need_settings

identity() {
  {
    cat "$ROOT/dist/.built"
    print_settings
    printf '%s\n' "${VOIDRUNNER_ROLES:-}" "${EMBEDDED_WORKERS:-}" "${NODE_OPTIONS:-}"
  } | sha256sum | cut -d' ' -f1
}
print_settings() { "$DEV/print-env.sh"; }

ready() {
  [ "$(http_status "http://$SERVER_HOST:$SERVER_PORT/ready")" = 200 ]
}
http_status() {
  exec 3<>"/dev/tcp/$SERVER_HOST/$SERVER_PORT" || return 1
  printf 'GET /ready HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
  local line
  read -r -t 5 line <&3 || return 1
  printf '%s' "$line" | cut -d' ' -f2
}

start() {
  lock_checkout
  "$DEV/build.sh"
  local wanted
  if running_pid app >/dev/null; then
    wanted=$(identity)
    if [ "$(cat "$HOME_DIR/app.identity" 2>/dev/null)" = "$wanted" ] && ready; then
      say "The app is running this build already: http://localhost:$SERVER_PORT"
      return
    fi
    say 'The app runs another build or other settings: restarting it'
    stop app 30 TERM
  fi
  settle_port SERVER_PORT 8080 18080
  settle_port METRICS_PORT 9464
  wanted=$(identity)
  say "Starting the app (log: ${LOG_DIR#"$ROOT"/}/app.log)"
  local begin
  begin=$(now_ms)
  [ -z "${OTEL_TRACES_FILE:-}" ] || rotate "$OTEL_TRACES_FILE"
  run_app
  await app 60 ready || return 1
  ! is_root || is_unprivileged "$(running_pid app)" || die 'the app runs as root'
  printf '%s\n' "$wanted" >"$HOME_DIR/app.identity"
  say "Ready after $(($(now_ms) - begin)) ms: http://localhost:$SERVER_PORT"
}

# Of the database it gets the application's role alone; whose schema it is, is for migrate.sh.
NOT_FOR_APP=(-u DB_OWNER_USER -u DB_OWNER_PASSWORD -u DB_SUPERUSER_PASSWORD)
COMMAND=(node_modules/.bin/node --enable-source-maps --import ./dist/telemetry.js dist/main.js)

run_app() {
  cd "$ROOT"
  if ! is_root; then
    spawn app env "${NOT_FOR_APP[@]}" "${COMMAND[@]}"
    return
  fi
  # As a user of its own that has nothing but the number: its checkout is read-only, and in a place that
  # it can reach (a clone under /root); the engine's socket it reaches by the socket's group.
  local home="$VOIDRUNNER_RUN_DIR/app" traces="${OTEL_TRACES_FILE:-}" uid=$VOIDRUNNER_APP_UID
  mkdir -p "$home/checkout"
  touch "$home/traces.jsonl"
  chown "$uid:$uid" "$home" "$home/traces.jsonl"
  [ -z "$traces" ] || { touch "$traces" && chown "$uid:$uid" "$traces"; }
  spawn app env "${NOT_FOR_APP[@]}" HOME="$home" ${traces:+OTEL_TRACES_FILE="$home/traces.jsonl"} \
    unshare --mount --propagation private sh -c "$IN_ITS_VIEW" sh "$ROOT" "$home" "$traces" \
    setpriv --reuid="$uid" --regid="$uid" --groups="$(socket_group)" --no-new-privs --inh-caps=-all \
    --bounding-set=-all "${COMMAND[@]}"
}

IN_ITS_VIEW='
  mount --bind "$1" "$2/checkout" && mount -o remount,bind,ro "$2/checkout" || exit 1
  [ -z "$3" ] || mount --bind "$3" "$2/traces.jsonl" || exit 1
  cd "$2/checkout" && shift 3 && exec "$@"'

socket_group() {
  local path=${DOCKER_ENDPOINT#unix://}
  if [ -S "$path" ]; then stat -c %g "$path"; else echo "$VOIDRUNNER_APP_UID"; fi
}

is_unprivileged() {
  local pid=$1
  ! grep -q '^Uid:.*\b0\b' "/proc/$pid/status" && ! grep -qz '^DB_OWNER_PASSWORD=' "/proc/$pid/environ"
}

case "${1:-}" in
  start) start ;;
  stop)
    lock_checkout
    if running_pid app >/dev/null; then note 'stopping the app'; fi
    stop app 30 TERM
    ;;
  status) running_pid app >/dev/null && ready ;;
  *) die 'usage: app.sh start|stop|status' ;;
esac
