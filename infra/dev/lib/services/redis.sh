# Our own Redis. The job queue can be rebuilt at any moment, so nothing is persisted.

redis_prepare() { ensure_port REDIS_PORT 16379; }

redis_start() {
  have redis-server || die "redis-server is not installed: run 'make setup'"
  local data="$VOIDRUNNER_STATE_DIR/redis"
  mkdir -p "$data"
  (umask 077 && REDIS_LISTEN=127.0.0.1 REDIS_LISTEN_PORT="$REDIS_PORT" REDIS_DIR="$data" \
    "$ROOT/infra/redis/config.sh" >"$data/redis.conf")
  spawn_as_package_user redis "$data" redis-server "$data/redis.conf"
  await redis 20 redis_answers
}

redis_answers() {
  [ "$(REDISCLI_AUTH="$REDIS_PASSWORD" timeout 5 redis-cli -h 127.0.0.1 -p "$REDIS_PORT" ping)" = PONG ]
}

redis_stop() { stop_process redis 10 TERM; }
