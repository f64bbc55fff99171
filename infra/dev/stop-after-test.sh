#!/usr/bin/env bash
# stop-after-test.sh "NAME NAME...": stops what a test run started, which is what runs now and did
# not run before it.
. "$(dirname "$0")/lib.sh"
need_settings
before=" ${1:-} "
if [ "$VOIDRUNNER_MODE" = compose ]; then
  [[ $before == *' postgres '* ]] || "$DEV/compose.sh" stop
  exit
fi
names=()
for name in $("$DEV/services.sh" running); do
  [[ $before == *" $name "* ]] || names+=("$name")
done
[ ${#names[@]} -gt 0 ] || exit 0
say "Stopping what was started for the tests: ${names[*]}"
[[ " ${names[*]} " != *' dockerd '* ]] || "$DEV/remove-containers.sh"
"$DEV/services.sh" stop "${names[@]}"
