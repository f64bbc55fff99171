# The native app in the background. A running app is kept if it runs this build with these settings.

app_identity() {
  {
    cat "$ROOT/dist/.built"
    print_settings
    (cd "$ROOT" && cat "${RUNTIMES_DIR:-runtimes}"/*.yaml)
    printf '%s\n' "${VOIDRUNNER_ROLES:-}" "${EMBEDDED_WORKERS:-}" "${NODE_OPTIONS:-}"
  } | sha256sum | cut -d' ' -f1
}

start_app() {
  local begin identity
  build_if_stale
  if running_pid app >/dev/null; then
    identity=$(app_identity)
    if [ "$(cat "$HOME_DIR/app.identity" 2>/dev/null)" = "$identity" ] && app_is_ready; then
      say "The app runs this build already: http://localhost:$SERVER_PORT"
      return
    fi
    say 'The app runs another build or other settings: restarting it'
    stop_app
  fi
  ensure_port SERVER_PORT 8080 18080
  ensure_port METRICS_PORT 9464
  identity=$(app_identity)
  say "Starting the app (log: ${LOG_DIR#"$ROOT"/}/app.log)"
  begin=$(now_ms)
  [ -z "${OTEL_TRACES_FILE:-}" ] || rotate "$OTEL_TRACES_FILE"
  spawn app "$DEV/app" as-user \
    node_modules/.bin/node --enable-source-maps --import ./dist/telemetry.js dist/main.js
  await app 60 app_is_ready
  if is_root && ! is_unprivileged "$(running_pid app)"; then
    stop_app
    die 'the app had more rights than it needs, and was stopped'
  fi
  printf '%s\n' "$identity" >"$HOME_DIR/app.identity"
  say "Ready after $(($(now_ms) - begin)) ms: http://localhost:$SERVER_PORT"
}

is_unprivileged() {
  local pid=$1
  ! grep -qE '^[UG]id:.*\b0\b' "/proc/$pid/status" && grep -qE '^CapBnd:\s*0+$' "/proc/$pid/status" &&
    ! grep -qzE '^DB_(OWNER|SUPERUSER)_PASSWORD=' "/proc/$pid/environ"
}

stop_app() {
  ! running_pid app >/dev/null || note 'stopping the app'
  stop_process app 30 TERM
}
