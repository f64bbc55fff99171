# `make test-compose`: docker-compose.yml from nothing to a first task, its limits, and nothing left at the end. An
# instance of its own (.voidrunner/test-compose) with its own settings, secrets, ports and, if none answers, engine.
# Its builds stay there for the next time.

test_compose() {
  local checkout_settings=$SETTINGS begin=$SECONDS own='' filter=() before after
  "$DEV/setup" dependencies
  # Without symbolic links: an engine's mounts are found by their real paths.
  VOIDRUNNER_HOME=$(realpath -m "$HOME_DIR/test-compose")
  export VOIDRUNNER_HOME
  use_home "$VOIDRUNNER_HOME"
  lock_checkout

  install_packages test-compose
  # Ports are chosen afresh each time: nothing reserves them in between.
  [ ! -f "$SETTINGS" ] || sed -i '/_PORT=/d' "$SETTINGS"
  generate_settings compose
  need_settings
  stack_started=''
  trap end_compose_test EXIT
  trap 'exit 130' INT TERM
  "$DEV/services" start dockerd
  unset DOCKER_ENDPOINT # the start may have chosen another
  need_settings
  if [ "$DOCKER_ENDPOINT" = "$(own_engine)" ]; then
    own=yes
    say "Engine: $DOCKER_ENDPOINT (this test's own)"
  else
    say "Engine: $DOCKER_ENDPOINT (not started by this test)"
    # Only what belongs to this test is compared then.
    filter=(--filter "label=com.docker.compose.project=voidrunner-$VOIDRUNNER_INSTANCE")
  fi

  "$DEV/images" seed "$checkout_settings"
  "$DEV/images" build
  "$DEV/images" stand-ins up
  note "the images exist ($((SECONDS - begin)) s since the start)"

  stack_started=yes
  take_down # what an earlier run left when it was killed
  remove_containers ''
  before=$(compose_inventory)
  start_stack
  note "every service is healthy ($((SECONDS - begin)) s since the start)"

  say "A first task, over HTTP like any user's:"
  "$NODE" "$PROGRAMS/first-task.mjs"
  say 'Access to the Docker socket:'
  "$NODE" "$PROGRAMS/compose-checks.mjs"

  say 'Taking the stack down'
  take_down # the worker removes its cells itself
  after=$(compose_inventory)
  [ "$before" = "$after" ] || die "left behind:
$(diff <(echo "$before") <(echo "$after"))"
  note "on the engine before and after: $(summary "$before" container cell volume network)"
  say "Compose passed in $((SECONDS - begin)) s"
}

compose_inventory() { engine_inventory "${filter[@]}" && cells_of "$QUEUE_NAMESPACE."; }
take_down() { timeout 300 "$DEV/app" compose down --volumes --remove-orphans >"$LOG_DIR/down.log" 2>&1; }

start_stack() {
  # Not the tag that `make dev-up` builds.
  export VOIDRUNNER_TAG=test-compose COMPOSE_FILE=docker-compose.yml
  if [ -n "$own" ]; then
    # Our own engine has no bridge to the outside; npm's registry is reached as the host reaches it.
    printf 'services:\n' >"$HOME_DIR/build.yml"
    printf '  %s: { build: { network: host } }\n' migrate app worker >>"$HOME_DIR/build.yml"
    COMPOSE_FILE="$COMPOSE_FILE:$HOME_DIR/build.yml"
  fi
  choose_builder
  say "Building the app and starting the stack: $(compose version --short)"
  logged build "building the app's image failed" timeout 1200 "$DEV/app" compose build
  note "the app's image is built ($((SECONDS - begin)) s since the start)"
  logged up 'the stack did not start' timeout 600 "$DEV/app" compose up --detach
  compose_wait app worker jaeger
}

end_compose_test() {
  local status=$?
  trap - EXIT
  if [ "$status" != 0 ] && [ -n "$stack_started" ]; then
    compose logs --no-color --tail 200 >"$LOG_DIR/stack.log" 2>&1 || true
    warn "the stack's log: $LOG_DIR/stack.log"
  fi
  [ -z "$stack_started" ] || { take_down && remove_containers ''; } || true
  "$DEV/images" stand-ins down || true
  "$DEV/services" stop dockerd
  rm -rf "${VOIDRUNNER_RUN_DIR:?}"
  exit "$status"
}
