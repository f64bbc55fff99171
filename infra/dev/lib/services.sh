# Starts and stops Postgres, Redis, NATS and a Docker engine. With NAMEs (postgres, redis, nats, dockerd) always the
# native ones; without, those of the mode that setup chose.

. "$LIB/services/dockerd.sh"
. "$LIB/services/nats.sh"
. "$LIB/services/redis.sh"

native=(dockerd postgres nats redis)
in_compose=(postgres redis nats jaeger)

# Sets `names`. The services' own users may not be allowed to enter the checkout: nothing starts in it.
choose_services() {
  local name
  need_settings
  names=("${@:-"${native[@]}"}")
  for name in "${names[@]}"; do [[ " ${native[*]} " == *" $name "* ]] || die "no such service: $name"; done
  cd /
}
by_compose() { [ $# -eq 0 ] && [ "$VOIDRUNNER_MODE" = compose ]; }

start_services() {
  local names failed=0 started=() begin
  choose_services "$@"
  if by_compose "$@"; then
    say 'Starting services with Docker Compose'
    compose up --detach "${in_compose[@]}"
    compose_wait "${in_compose[@]}"
    return
  fi
  lock_checkout
  mkdir -p "$VOIDRUNNER_RUN_DIR" "$VOIDRUNNER_STATE_DIR"
  chmod 711 "$VOIDRUNNER_RUN_DIR" "$VOIDRUNNER_STATE_DIR"
  begin=$(now_ms)
  start_missing
  # Another checkout may have taken a port between our check and our start.
  if [ "$failed" != 0 ]; then note 'trying once more'; start_missing; fi
  [ "$failed" = 0 ] || die 'a service did not start; its log is above'
  [ ${#started[@]} -gt 0 ] || { say 'Services were up already'; return; }
  say "Services up: $(printf '%s\n' "${started[@]}" | sort -u | tr '\n' ' ')($(($(now_ms) - begin)) ms)"
}

# Ports first, one after the other, because two services must not choose the same one; then all at once. A service
# whose `prepare` fails (another engine answers) is not started.
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

stop_services() {
  [ -f "$SETTINGS" ] || { note 'nothing was set up, nothing to stop'; return; }
  local names name job jobs=()
  choose_services "$@"
  if by_compose "$@"; then
    compose stop
  else
    lock_checkout
    for name in "${names[@]}"; do
      [ -f "$PID_DIR/$name" ] || continue
      note "stopping $name"
      "${name}_stop" &
      jobs+=("$!")
    done
    for job in "${jobs[@]}"; do wait "$job"; done
  fi
  [ $# -gt 0 ] || say 'Services are down'
}

running_services() {
  local names name
  choose_services
  if by_compose; then
    # Compose has no pid files of ours: either all count as running or none.
    [ -z "$(compose ps --quiet)" ] || printf '%s\n' "${native[@]}"
    return
  fi
  for name in "${names[@]}"; do
    if running_pid "$name" >/dev/null; then echo "$name"; fi
  done
}

print_status() {
  [ -f "$SETTINGS" ] || { echo 'not set up (make setup)'; return; }
  need_settings
  printf '%-10s %-22s %s\n' mode "$VOIDRUNNER_MODE" "instance $VOIDRUNNER_INSTANCE"
  if by_compose; then compose ps; return; fi
  status_of postgres "127.0.0.1:$DB_PORT"
  status_of redis "127.0.0.1:$REDIS_PORT"
  status_of nats "127.0.0.1:$NATS_PORT, monitor $NATS_MONITOR_PORT"
  status_of dockerd "$DOCKER_ENDPOINT"
  status_of app "http://$SERVER_HOST:$SERVER_PORT"
}

status_of() { # NAME ADDRESS
  local state=stopped pid
  if pid=$(running_pid "$1"); then
    state="running, pid $pid"
    [ "$1" != app ] || app_is_ready || state="$state, not ready (GET /ready says why)"
  elif [ "$1" = dockerd ] && docker_answers "$DOCKER_ENDPOINT"; then
    state='not started by us'
  fi
  printf '%-10s %-22s %s\n' "$1" "$state" "$2"
}
