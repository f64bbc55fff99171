# Our own NATS with JetStream.
# shellcheck shell=bash

nats_prepare() {
  settle_port NATS_PORT 14222
  settle_port NATS_MONITOR_PORT 18222
  [ "$NATS_URL" = "nats://127.0.0.1:$NATS_PORT" ] || put_setting NATS_URL "nats://127.0.0.1:$NATS_PORT"
}

nats_start() {
  have nats-server || die 'no nats-server here: run `make setup`'
  local data="$VOIDRUNNER_STATE_DIR/nats"
  mkdir -p "$data"
  (
    umask 077
    NATS_LISTEN="127.0.0.1:$NATS_PORT" NATS_MONITOR_LISTEN="127.0.0.1:$NATS_MONITOR_PORT" NATS_STORE_DIR="$data" \
      NATS_SERVER_NAME="voidrunner-$VOIDRUNNER_INSTANCE" "$ROOT/infra/nats/config.sh" >"$data/nats.conf"
  )
  if is_root && id nats >/dev/null 2>&1; then chown -R nats "$data"; fi
  # shellcheck disable=SC2046
  spawn nats $(unprivileged nats) nats-server -c "$data/nats.conf"
  await nats 60 nats_answers
}

# /healthz says ok only after JetStream has recovered its streams.
nats_answers() {
  exec 3<>"/dev/tcp/127.0.0.1/$NATS_MONITOR_PORT" || return 1
  printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3
  timeout 5 grep -q '"status": *"ok"' <&3
}

nats_stop() { stop nats 20 TERM; }
