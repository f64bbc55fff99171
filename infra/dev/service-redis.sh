# Our own Redis: an index that can be rebuilt at any moment, so nothing is persisted.
# shellcheck shell=bash

redis_prepare() { settle_port REDIS_PORT 16379; }

redis_start() {
  have redis-server || die 'no redis-server here: run `make setup`'
  local data="$VOIDRUNNER_STATE_DIR/redis"
  mkdir -p "$data"
  (
    umask 077
    REDIS_LISTEN=127.0.0.1 REDIS_LISTEN_PORT="$REDIS_PORT" REDIS_DIR="$data" \
      "$ROOT/infra/redis/config.sh" >"$data/redis.conf"
  )
  if is_root && id redis >/dev/null 2>&1; then chown -R redis "$data"; fi
  # shellcheck disable=SC2046
  spawn redis $(unprivileged redis) redis-server "$data/redis.conf"
  await redis 20 redis_answers
}

redis_answers() {
  [ "$(REDISCLI_AUTH="$REDIS_PASSWORD" timeout 5 redis-cli -h 127.0.0.1 -p "$REDIS_PORT" ping)" = PONG ]
}

redis_stop() { stop redis 10 TERM; }
