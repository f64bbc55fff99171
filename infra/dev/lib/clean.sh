# Stops everything and removes what setup and use made here, except system packages.

clean() {
  # The engine of a `make test-compose` that was killed.
  local compose_home="$HOME_DIR/test-compose"
  if [ -f "$compose_home/dev.env" ]; then
    VOIDRUNNER_HOME=$(realpath "$compose_home") "$DEV/services" stop dockerd
    rm -rf "$(sed -n 's/^VOIDRUNNER_RUN_DIR=//p' "$compose_home/dev.env")"
  fi
  if [ -f "$SETTINGS" ]; then
    "$DEV/app" down
    need_settings
    [ "$VOIDRUNNER_MODE" = native ] || compose down --volumes
    rm -rf "$VOIDRUNNER_RUN_DIR"
    # Only a folder that names this instance, or is in the checkout.
    if [ "$VOIDRUNNER_STATE_DIR" = "/var/lib/voidrunner/$VOIDRUNNER_INSTANCE" ]; then
      rm -rf "$VOIDRUNNER_STATE_DIR"
      rmdir /var/lib/voidrunner 2>/dev/null || true
    fi
  fi
  rm -rf --one-file-system "$HOME_DIR" "$ROOT/dist" "$ROOT/coverage" "$ROOT/node_modules" \
    "$ROOT/test/clients/node_modules" "$ROOT/test/clients/generated"
  say 'Clean'
}
