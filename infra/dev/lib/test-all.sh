# `make test`: set up, check, every test with coverage; then what was on the engine before and after. The services
# that did not run before are stopped again. The last line is "N passed, N failed".

# Our own engine may have a mount namespace of its own (services/dockerd.sh).
inventory() { engine_inventory && cells_of && host_inventory "$(running_pid dockerd || echo self)"; }
inventory_summary() { summary "$1" container cell volume network mount cgroup; }

test_all() { # JEST-ARGUMENT...
  local before after='' left='' failed_parts status=0
  running_before=''
  [ ! -f "$SETTINGS" ] || running_before=$("$DEV/services" running | tr '\n' ' ')
  trap abandon_tests EXIT
  trap 'exit 130' INT TERM
  rm -f "$HOME_DIR/test-verdict" "$HOME_DIR/failed-parts"
  "$DEV/app" prepare "$DEV/test" without-services
  need_settings
  "$DEV/images" build c cpp
  before=$(inventory)
  [ -f "$HOME_DIR/failed-parts" ] || die 'make check and the launcher did not finish'
  trap - EXIT INT TERM # run-jest.mjs handles signals; this process waits for its end
  note "on the engine before: $(inventory_summary "$before")"
  # Others may use the engine at the same time: the names of its workers identify this run's containers.
  VOIDRUNNER_TEST_NAMESPACE="test-$(hex 4)"
  export VOIDRUNNER_TEST_NAMESPACE
  "$NODE" "$PROGRAMS/run-jest.mjs" "$@" || status=1

  if after=$(inventory) && left=$(cells_of "$VOIDRUNNER_TEST_NAMESPACE-"); then
    [ -z "$left" ] || remove_containers "$VOIDRUNNER_TEST_NAMESPACE-"
  else
    status=1
  fi
  stop_after_test "$running_before"
  note "on the engine before: $(inventory_summary "$before")"
  note "on the engine after:  $(inventory_summary "$after")"
  if [ -n "$left" ]; then
    warn "left behind by the tests:
$left"
    status=1
  fi
  failed_parts=$(cat "$HOME_DIR/failed-parts")
  if [ -n "$failed_parts" ]; then
    echo "!!! failed, see above:$failed_parts"
    status=1
  fi
  cat "$HOME_DIR/test-verdict"
  exit "$status"
}

abandon_tests() {
  trap - EXIT
  [ ! -f "$SETTINGS" ] || "$DEV/test" stop-after-test "$running_before" || true
  die 'the tests could not be set up'
}

# The parts of `make test` that need no service, while `prepare` prepares the services. The output of each appears in
# one piece, when it ends. Lists those that fail in failed-parts.
test_without_services() {
  local part output failed_parts=''
  "$DEV/setup" client-generators || failed_parts=' client-generators'
  for part in check launcher; do
    output=$("$DEV/test" "$part" 2>&1) || failed_parts="$failed_parts $part"
    printf '%s\n' "$output"
  done
  echo "$failed_parts" >"$HOME_DIR/failed-parts"
}

# The launcher's own tests, under AddressSanitizer, in a stage of its image, where it is built. The engine keeps the
# layer: nothing runs again until a file of it changes.
test_launcher() {
  local begin base
  begin=$(now_ms)
  base=$(base_image)
  build_image launcher-test voidrunner/launcher-test:latest "$ROOT/infra/launcher" --target test \
    --build-arg BASE_IMAGE="$base"
  note "launcher: fine ($(($(now_ms) - begin)) ms)"
}

# stop_after_test "NAME...": stops what a test run started: services that run now and are not in the list of those
# that ran before.
stop_after_test() {
  local ran_before=" $1 " name names=()
  if [ "$VOIDRUNNER_MODE" = compose ]; then
    [[ $ran_before == *' postgres '* ]] || compose stop
    return
  fi
  for name in $("$DEV/services" running); do
    [[ $ran_before == *" $name "* ]] || names+=("$name")
  done
  [ ${#names[@]} -gt 0 ] || return 0
  say "Stopping what was started for the tests: ${names[*]}"
  [[ " ${names[*]} " != *' dockerd '* ]] || remove_containers ''
  "$DEV/services" stop "${names[@]}"
}
