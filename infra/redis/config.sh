#!/bin/sh
# Prints the Redis configuration, natively and in Compose alike: the job queue can be rebuilt at any
# moment, so nothing is persisted, and nothing may be evicted silently.
set -eu
cat <<CONF
bind $REDIS_LISTEN
port $REDIS_LISTEN_PORT
requirepass $REDIS_PASSWORD
maxmemory-policy noeviction
save ""
appendonly no
dir "$REDIS_DIR"
CONF
