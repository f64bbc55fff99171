#!/bin/sh
# Prints the Redis configuration, for native mode and Compose. The job queue can be rebuilt at any moment, so nothing is
# persisted. Nothing may be evicted silently. The log of slow commands is off, because it keeps their arguments.
set -eu
cat <<CONF
bind $REDIS_LISTEN
port $REDIS_LISTEN_PORT
requirepass $REDIS_PASSWORD
maxmemory-policy noeviction
save ""
appendonly no
slowlog-log-slower-than -1
dir "$REDIS_DIR"
CONF
