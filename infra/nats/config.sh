#!/bin/sh
# Prints the NATS configuration, for native mode and Compose. Passwords come from the environment, never from a command
# line, and are quoted: NATS would read 1234e5678 as a number.
#
# The service has an account of its own. If NATS_READER_PASSWORD is set, NATS_READER_USER (reader) can read the events
# stream from a second account, with consumers of the names in NATS_READER_CONSUMERS (reader): docs/adr/0066.
set -eu

stream="${NATS_STREAM_PREFIX:-VOIDRUNNER}_EVENTS"
exports='' imports='' readers=''
share() { # SUBJECT AS [OPTIONS]: lets the reader's account call a subject of the service's account under another name
  exports="$exports
      { service: \"$1\", accounts: [READERS]${3:-} }"
  imports="$imports
      { service: { account: VOIDRUNNER, subject: \"$1\" }, to: \"$2\" }"
}
call() { share "\$JS.API.$1" "\$JS.voidrunner.API.$1" "${2:-}"; }

if [ -n "${NATS_READER_PASSWORD:-}" ]; then
  call "STREAM.INFO.$stream"
  call "STREAM.MSG.GET.$stream"
  for consumer in ${NATS_READER_CONSUMERS:-reader}; do
    call "CONSUMER.CREATE.$stream.$consumer"
    call "CONSUMER.CREATE.$stream.$consumer.>"
    call "CONSUMER.DURABLE.CREATE.$stream.$consumer"
    call "CONSUMER.INFO.$stream.$consumer"
    call "CONSUMER.DELETE.$stream.$consumer"
    call "CONSUMER.MSG.NEXT.$stream.$consumer" ', response_type: stream'
    share "\$JS.ACK.$stream.$consumer.>" "\$JS.ACK.$stream.$consumer.>"
  done
  readers="READERS {
    users: [{ user: \"${NATS_READER_USER:-reader}\", password: \"$NATS_READER_PASSWORD\" }]
    imports: [$imports
    ]
  }"
fi

# Earlier versions had no accounts. Their streams are those of the account that NATS then uses for everybody.
if [ -d "$NATS_STORE_DIR/jetstream/\$G" ] && [ ! -e "$NATS_STORE_DIR/jetstream/VOIDRUNNER" ]; then
  mv "$NATS_STORE_DIR/jetstream/\$G" "$NATS_STORE_DIR/jetstream/VOIDRUNNER"
fi

cat <<CONF
listen: "$NATS_LISTEN"
http: "$NATS_MONITOR_LISTEN"
server_name: "${NATS_SERVER_NAME:-voidrunner}"
accounts {
  VOIDRUNNER {
    jetstream: enabled
    users: [{ user: "$NATS_USER", password: "$NATS_PASSWORD" }]
    exports: [$exports
    ]
  }
  $readers
}
jetstream { store_dir: "$NATS_STORE_DIR", max_memory_store: 512MB, max_file_store: ${NATS_FILE_STORE_MAX:-12GB} }
CONF
