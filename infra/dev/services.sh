#!/usr/bin/env bash
# Our own Postgres, Redis, NATS and dockerd: services.sh start|stop [NAME...], running.
. "$(dirname "$0")/lib.sh"
. "$DEV/process.sh"
. "$DEV/service-dockerd.sh"
. "$DEV/service-postgres.sh"
. "$DEV/service-nats.sh"
. "$DEV/service-redis.sh"

action=${1:-}
shift || true
need_settings
cd / # the services' own users may not be allowed to enter the checkout
all=(dockerd postgres nats redis)
names=("$@")
[ $# -gt 0 ] || names=("${all[@]}")

# Ports first, one after the other, since two services must not choose the same one; then all at
# once. A service whose `prepare` declines (somebody else's engine answers) is not started.
start_missing() {
  local name job starting=() jobs=()
  for name in "${names[@]}"; do
    if ! running_pid "$name" >/dev/null && "${name}_prepare"; then starting+=("$name"); fi
  done
  for name in "${starting[@]}"; do
    "${name}_start" &
    jobs+=("$!")
  done
  failed=0
  for job in "${jobs[@]}"; do wait "$job" || failed=1; done
  started+=("${starting[@]}")
}

case "$action" in
  start)
    lock_checkout
    mkdir -p "$VOIDRUNNER_RUN_DIR" "$VOIDRUNNER_STATE_DIR"
    chmod 711 "$VOIDRUNNER_RUN_DIR" "$VOIDRUNNER_STATE_DIR"
    begin=$(now_ms)
    started=()
    start_missing
    # Another checkout may have taken a port between our look and our start: look again.
    if [ "$failed" != 0 ]; then
      note 'trying once more'
      start_missing
    fi
    [ "$failed" = 0 ] || die 'a service did not start; the log above says why'
    if [ ${#started[@]} -gt 0 ]; then
      say "Services up: $(printf "%s\n" "${started[@]}" | sort -u | tr "\n" " ")($(($(now_ms) - begin)) ms)"
    else
      say 'Services were up already'
    fi
    ;;
  stop)
    lock_checkout
    jobs=()
    for name in "${names[@]}"; do
      [ -f "$PID_DIR/$name" ] || continue
      note "stopping $name"
      "${name}_stop" &
      jobs+=("$!")
    done
    for job in "${jobs[@]}"; do wait "$job"; done
    ;;
  running)
    for name in "${names[@]}"; do
      if running_pid "$name" >/dev/null; then echo "$name"; fi
    done
    ;;
  *) die 'usage: services.sh start|stop|running [postgres|redis|nats|dockerd]...' ;;
esac
