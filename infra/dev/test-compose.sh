#!/usr/bin/env bash
# docker-compose.yml, proven: the whole stack from nothing, a first task through it, who reaches the
# Docker socket and who does not, and nothing left at the end. An instance of its own
# (.voidrunner/test-compose): its settings, secrets, ports and, where none answers, its engine. What it
# built stays there for the next time.
. "$(dirname "$0")/lib.sh"
"$DEV/dependencies.sh"
checkout_settings=$SETTINGS
# Without links: an engine's mounts are found by their real paths.
VOIDRUNNER_HOME=$(realpath -m "$HOME_DIR/test-compose")
export VOIDRUNNER_HOME
. "$DEV/lib.sh"
. "$DEV/inventory.sh"
lock_checkout
begin=$(now_ms)
took() { note "$1 ($((($(now_ms) - begin) / 1000)) s since the start)"; }

"$DEV/packages.sh" test-compose
mkdir -p "$HOME_DIR"
# Ports are chosen afresh each time: nobody keeps them for us in between.
[ ! -f "$SETTINGS" ] || sed -i '/_PORT=/d' "$SETTINGS"
"$DEV/settings.sh" compose

finish() {
  local status=$?
  trap - EXIT
  if [ "$status" != 0 ] && [ -n "${stack_begun:-}" ]; then
    "$DEV/compose.sh" logs --no-color --tail 200 >"$LOG_DIR/stack.log" 2>&1 || true
    warn "the stack's log: $LOG_DIR/stack.log"
  fi
  [ -z "${stack_begun:-}" ] || { take_down && "$DEV/remove-containers.sh"; } || true
  "$DEV/stand-ins.sh" down || true
  "$DEV/services.sh" stop dockerd
  rm -rf "${VOIDRUNNER_RUN_DIR:?}"
  exit "$status"
}
take_down() { timeout 300 "$DEV/compose.sh" down --volumes --remove-orphans >"$LOG_DIR/down.log" 2>&1; }

need_settings
trap finish EXIT
trap 'exit 130' INT TERM
"$DEV/services.sh" start dockerd
unset DOCKER_ENDPOINT # starting may have chosen another
need_settings
own='' whose="somebody else's, which answers here"
if [ "$DOCKER_ENDPOINT" = "unix://$VOIDRUNNER_RUN_DIR/docker.sock" ]; then own=yes whose="this test's own"; fi
say "Engine: $DOCKER_ENDPOINT ($whose)"
# On somebody else's engine only what is there of ours is compared.
filter=()
[ -n "$own" ] || filter=(--filter "label=com.docker.compose.project=voidrunner-$VOIDRUNNER_INSTANCE")
compared() { inventory "${filter[@]}" && cells_of "$QUEUE_NAMESPACE."; }

"$DEV/seed-images.sh" "$checkout_settings"
"$DEV/images.sh"
"$DEV/stand-ins.sh" up
took 'images are there'

stack_begun=yes
take_down # what a killed run left
"$DEV/remove-containers.sh"
before=$(compared)

# Not the tag that `make dev-up` builds.
export VOIDRUNNER_TAG=test-compose
COMPOSE_FILE=docker-compose.yml
if [ -n "$own" ]; then
  # Our own engine has no bridge to the world; npm's registry is reached as the host reaches it.
  printf 'services:\n' >"$HOME_DIR/build.yml"
  for service in migrate app worker; do
    printf '  %s: { build: { network: host } }\n' "$service" >>"$HOME_DIR/build.yml"
  done
  COMPOSE_FILE="$COMPOSE_FILE:$HOME_DIR/build.yml"
fi
export COMPOSE_FILE
choose_builder
say "Building the app and starting the stack: $("$DEV/compose.sh" version --short)"
timeout 1200 "$DEV/compose.sh" build >"$LOG_DIR/build.log" 2>&1 || {
  tail -n 30 "$LOG_DIR/build.log" >&2
  die "the app's image failed; the whole log: $LOG_DIR/build.log"
}
took 'the app is built'
timeout 600 "$DEV/compose.sh" up --detach >"$LOG_DIR/up.log" 2>&1 || {
  tail -n 30 "$LOG_DIR/up.log" >&2
  die "the stack did not start; the whole log: $LOG_DIR/up.log"
}
"$DEV/compose-wait.sh" app worker jaeger
took 'every service is healthy'

say 'A first task, as a new user would run it:'
"$NODE" "$DEV/first-task.mjs"
say 'Who reaches the Docker socket:'
"$NODE" "$DEV/compose-checks.mjs"

say 'Taking it down'
take_down # the worker removes its cells itself
after=$(compared)
[ "$before" = "$after" ] || die "left behind:
$(diff <(echo "$before") <(echo "$after"))"
note "on the engine before and after: $(summary "$before" container cell volume network)"
say "Compose passed in $((($(now_ms) - begin) / 1000)) s"
