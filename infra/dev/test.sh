#!/usr/bin/env bash
# Set up, check, every test with coverage; then what was on the engine before and after. The services
# that were down before are stopped again; the very last line is "N passed, N failed".
. "$(dirname "$0")/lib.sh"
. "$DEV/process.sh"
. "$DEV/inventory.sh"

services=''
if [ -f "$SETTINGS" ]; then
  services=$("$DEV/services.sh" running | tr '\n' ' ')
  # Compose keeps no pid files of ours; there it is all or nothing.
  if [ "$(setting VOIDRUNNER_MODE)" = compose ] && [ -n "$("$DEV/compose.sh" ps --quiet)" ]; then
    services='dockerd postgres nats redis'
  fi
fi

# An engine of our own may have its mounts to itself.
look() { inventory && cells_of && kept_by_host "$(running_pid dockerd || echo self)"; }
counts() { summary "$1" container cell volume network mount cgroup; }

before=''
{ "$DEV/up.sh" && need_settings && before=$(look); } || {
  [ ! -f "$SETTINGS" ] || "$DEV/stop-after-test.sh" "$services"
  die 'the tests could not be set up'
}
note "on the engine before: $(counts "$before")"
# Others may use the engine meanwhile: the names of its workers tell this run's containers from theirs.
VOIDRUNNER_TEST_NAMESPACE="test-$(hex 4)"
export VOIDRUNNER_TEST_NAMESPACE
failed=0
"$NODE" "$DEV/run-tests.mjs" "$@" || failed=$?

after='' left=''
if after=$(look) && left=$(cells_of "$VOIDRUNNER_TEST_NAMESPACE-"); then
  [ -z "$left" ] || "$DEV/remove-containers.sh" "$VOIDRUNNER_TEST_NAMESPACE-"
else
  failed=1
fi
"$DEV/stop-after-test.sh" "$services"
note "on the engine before: $(counts "$before")"
note "on the engine after:  $(counts "$after")"
if [ -n "$left" ]; then
  warn "left behind by the tests:
$left"
  failed=1
fi
cat "$HOME_DIR/test-verdict"
exit "$failed"
