#!/usr/bin/env bash
# seed-images.sh SETTINGS: copies the runtime images and their base from the engine of another instance,
# if it has them and this one lacks them. images.sh then builds only what is missing or out of date.
. "$(dirname "$0")/lib.sh"
need_settings
from=$(sed -n 's/^DOCKER_ENDPOINT=//p' "${1:?usage: seed-images.sh SETTINGS}" 2>/dev/null || true)
if [ -z "$from" ] || [ "$from" = "$DOCKER_ENDPOINT" ]; then exit 0; fi
"$DEV/docker-answers.sh" "$from" || exit 0

id_at() { docker --host "$1" image inspect --format '{{.Id}}' "$2" 2>/dev/null || true; }
todo=()
for image in voidrunner/base:trixie voidrunner/launcher:latest "$EXECUTOR_PYTHON_IMAGE" \
  "$EXECUTOR_BASH_IMAGE" "$EXECUTOR_GO_IMAGE" "$EXECUTOR_JAVASCRIPT_IMAGE"; do
  theirs=$(id_at "$from" "$image")
  if [ -n "$theirs" ] && [ -z "$(id_at "$DOCKER_ENDPOINT" "$image")" ]; then todo+=("$image"); fi
done
[ ${#todo[@]} -gt 0 ] || exit 0
begin=$(now_ms)
docker --host "$from" save "${todo[@]}" | docker --host "$DOCKER_ENDPOINT" load --quiet >/dev/null
note "copied from $from in $((($(now_ms) - begin) / 1000)) s: ${todo[*]}"
