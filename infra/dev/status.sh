#!/usr/bin/env bash
# What runs, and where.
. "$(dirname "$0")/lib.sh"
. "$DEV/process.sh"
[ -f "$SETTINGS" ] || { echo 'not set up (make setup)'; exit 0; }
need_settings
row() { printf '%-10s %-22s %s\n' "$@"; }

row mode "$VOIDRUNNER_MODE" "instance $VOIDRUNNER_INSTANCE"
if [ "$VOIDRUNNER_MODE" = compose ]; then exec "$DEV/compose.sh" ps; fi

address_of() {
  case "$1" in
    postgres) echo "127.0.0.1:$DB_PORT" ;;
    redis) echo "127.0.0.1:$REDIS_PORT" ;;
    nats) echo "127.0.0.1:$NATS_PORT, monitor $NATS_MONITOR_PORT" ;;
    dockerd) echo "$DOCKER_ENDPOINT" ;;
    app) echo "http://$SERVER_HOST:$SERVER_PORT" ;;
  esac
}
for name in postgres redis nats dockerd app; do
  if pid=$(running_pid "$name"); then
    state="running, pid $pid"
  elif [ "$name" = dockerd ] && "$DEV/docker-answers.sh" "$DOCKER_ENDPOINT"; then
    state='not started by us'
  else
    state=stopped
  fi
  row "$name" "$state" "$(address_of "$name")"
done
if running_pid app >/dev/null; then
  if "$DEV/app.sh" status; then row ready yes ''; else row ready no "see GET http://$SERVER_HOST:$SERVER_PORT/ready"; fi
fi
