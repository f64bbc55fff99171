#!/usr/bin/env bash
# Set up, check, every test with coverage. The services that were down before are stopped again;
# the very last line is "N passed, N failed".
. "$(dirname "$0")/lib.sh"

before=''
if [ -f "$SETTINGS" ]; then
  before=$("$DEV/services.sh" running | tr '\n' ' ')
  # Compose keeps no pid files of ours; there it is all or nothing.
  if [ "$(setting VOIDRUNNER_WAY)" = compose ] && [ -n "$("$DEV/compose.sh" ps --quiet)" ]; then
    before='dockerd postgres nats redis'
  fi
fi

"$DEV/up.sh" || {
  [ ! -f "$SETTINGS" ] || "$DEV/stop-after-test.sh" "$before"
  die 'the tests could not be set up'
}
need_settings
failed=0
"$NODE" "$DEV/run-tests.mjs" "$@" || failed=$?
"$DEV/stop-after-test.sh" "$before"
cat "$HOME_DIR/test-verdict"
exit "$failed"
