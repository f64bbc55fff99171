#!/bin/sh
# Prints the NATS configuration, for native mode and Compose. Passwords come from the environment, never from a command
# line, and are quoted: NATS would read 1234e5678 as a number.
set -eu
cat <<CONF
listen: "$NATS_LISTEN"
http: "$NATS_MONITOR_LISTEN"
server_name: "${NATS_SERVER_NAME:-voidrunner}"
authorization { user: "$NATS_USER", password: "$NATS_PASSWORD" }
jetstream { store_dir: "$NATS_STORE_DIR", max_memory_store: 512MB, max_file_store: ${NATS_FILE_STORE_MAX:-12GB} }
CONF
