#!/usr/bin/env bash
# Removes everything setup and use made here, installed system packages excepted.
. "$(dirname "$0")/lib.sh"
# The engine of a `make test-compose` that was killed.
compose_home="$HOME_DIR/test-compose"
if [ -f "$compose_home/dev.env" ]; then
  VOIDRUNNER_HOME=$(realpath "$compose_home") "$DEV/services.sh" stop dockerd
  rm -rf "$(VOIDRUNNER_HOME=$compose_home setting VOIDRUNNER_RUN_DIR)"
fi
if [ -f "$SETTINGS" ]; then
  "$DEV/dev-down.sh"
  need_settings
  [ "$VOIDRUNNER_MODE" = native ] || "$DEV/compose.sh" down --volumes
  rm -rf "$VOIDRUNNER_RUN_DIR"
  # Only a folder that names this instance, or lies in the checkout.
  case "$VOIDRUNNER_STATE_DIR" in
    /var/lib/voidrunner/"$VOIDRUNNER_INSTANCE")
      rm -rf "$VOIDRUNNER_STATE_DIR"
      rmdir /var/lib/voidrunner 2>/dev/null || true
      ;;
  esac
fi
rm -rf --one-file-system "$HOME_DIR" "$ROOT/dist" "$ROOT/coverage" "$ROOT/node_modules"
say 'Clean'
