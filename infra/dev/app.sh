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
  spawn app "$DEV/app-user.sh" "${COMMAND[@]}"
  await app 60 ready || return 1
  if is_root && ! is_unprivileged "$(running_pid app)"; then
    stop app 30 TERM
    die 'the app had more rights than it needs, and was stopped'
  fi
  printf '%s\n' "$wanted" >"$HOME_DIR/app.identity"
  say "Ready after $(($(now_ms) - begin)) ms: http://localhost:$SERVER_PORT"
}

COMMAND=(node_modules/.bin/node --enable-source-maps --import ./dist/telemetry.js dist/main.js)

is_unprivileged() {
  local pid=$1
  ! grep -qE '^[UG]id:.*\b0\b' "/proc/$pid/status" && grep -qE '^CapBnd:\s*0+$' "/proc/$pid/status" &&
    ! grep -qzE '^DB_(OWNER|SUPERUSER)_PASSWORD=' "/proc/$pid/environ"
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
