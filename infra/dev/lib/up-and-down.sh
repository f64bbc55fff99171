# From nothing to a first task, in watch mode, and down again.

# prepare [COMMAND...]: from nothing to a migrated database, with as much as possible at the same time. Building images
# mostly unpacks Debian packages on one core; meanwhile npm installs and the schema is made. Only the javascript image
# needs packages of npm. COMMAND runs as soon as npm has installed, beside the images and the schema. prepare waits
# for its end, but ignores its status.
prepare() {
  local failed=''
  images='' beside=''
  "$DEV/setup" settings
  "$DEV/services" start
  # Sessions of their own, so that an interrupted `prepare` can end them with everything that they started.
  trap 'kill -TERM -- "-$images" ${beside:+"-$beside"} 2>/dev/null || true' EXIT
  setsid "$DEV/images" build python bash go &
  images=$!
  if "$DEV/setup" dependencies; then
    if [ $# -gt 0 ]; then setsid "$@" & beside=$!; fi
    "$DEV/app" migrate up || failed=schema
  else
    failed=dependencies
  fi
  wait "$images" || failed="${failed:+$failed, }images"
  [ -n "$failed" ] || "$DEV/images" build javascript python-data || failed='images'
  [ -z "$beside" ] || wait "$beside" || true
  trap - EXIT
  [ -z "$failed" ] || die "could not set up: $failed (see above)"
}

up() {
  local begin=$SECONDS
  "$DEV/app" prepare
  if [ "$(setting VOIDRUNNER_MODE)" = compose ]; then
    compose up --detach --build
    compose_wait app worker
  else
    "$DEV/app" start
  fi
  say "Everything is up after $((SECONDS - begin)) s. A first task, over HTTP like any user's:"
  need_settings # only now: a start may have chosen another port
  "$NODE" "$PROGRAMS/first-task.mjs"
}

watch() {
  "$DEV/app" prepare
  need_settings
  if [ "$VOIDRUNNER_MODE" = native ]; then "$DEV/app" stop; fi
  cd "$ROOT"
  exec "$NODE" --watch --enable-source-maps --import @swc-node/register/esm-register \
    --import ./src/composition/telemetry.ts src/main.ts
}

down() {
  [ -f "$SETTINGS" ] || { note 'nothing was set up, nothing to stop'; return; }
  need_settings
  lock_checkout
  if [ "$VOIDRUNNER_MODE" = compose ]; then compose down; else stop_app; fi
  remove_containers ''
  [ "$VOIDRUNNER_MODE" = compose ] || "$DEV/services" stop
  say 'Everything is down (the data is kept; make clean removes it)'
}
