#!/usr/bin/env bash
# The launcher's own tests, under AddressSanitizer, where it is built: in a stage of its image. The
# engine keeps the layer: nothing runs again while nothing of it has changed.
. "$(dirname "$0")/lib.sh"
need_settings

begin=$(now_ms)
choose_builder
docker --host "$DOCKER_ENDPOINT" build --network host --build-arg BASE_IMAGE="$("$DEV/base-image.sh")" \
  --build-arg http_proxy --build-arg https_proxy --build-arg no_proxy \
  --target test --tag voidrunner/launcher-test:latest "$ROOT/infra/launcher" >"$LOG_DIR/launcher-test.log" 2>&1 || {
  tail -n 30 "$LOG_DIR/launcher-test.log" >&2
  die "the launcher's tests failed; the whole log: $LOG_DIR/launcher-test.log"
}
note "launcher: fine ($(($(now_ms) - begin)) ms)"
