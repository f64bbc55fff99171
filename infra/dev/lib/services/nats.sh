# Our own NATS with JetStream.

nats_prepare() {
  ensure_port NATS_PORT 14222
  ensure_port NATS_MONITOR_PORT 18222
  [ "$NATS_URL" = "nats://127.0.0.1:$NATS_PORT" ] || put_setting NATS_URL "nats://127.0.0.1:$NATS_PORT"
}

nats_start() {
  have nats-server || die "nats-server is not installed: run 'make setup'"
  local data="$VOIDRUNNER_STATE_DIR/nats"
  mkdir -p "$data"
  (umask 077 && NATS_LISTEN="127.0.0.1:$NATS_PORT" NATS_MONITOR_LISTEN="127.0.0.1:$NATS_MONITOR_PORT" \
    NATS_STORE_DIR="$data" NATS_SERVER_NAME="voidrunner-$VOIDRUNNER_INSTANCE" "$ROOT/infra/nats/config.sh" >"$data/nats.conf")
  spawn_as_package_user nats "$data" nats-server -c "$data/nats.conf"
  await nats 60 nats_answers
}

# /healthz is ok only after JetStream has recovered its streams.
nats_answers() { curl -fs --max-time 5 "http://127.0.0.1:$NATS_MONITOR_PORT/healthz" | grep '"status": *"ok"'; }

nats_stop() { stop_process nats 20 TERM; }
