#!/usr/bin/env bash
# remove-containers.sh [BEGINNING]: removes the containers our workers left: of those whose name begins
# so. Without it, on an engine of our own every managed one; on a shared one those of this instance.
. "$(dirname "$0")/lib.sh"
. "$DEV/inventory.sh"
need_settings
"$DEV/docker-answers.sh" "$DOCKER_ENDPOINT" || exit 0

ours="${QUEUE_NAMESPACE:-voidrunner}."
[ "$DOCKER_ENDPOINT" != "unix://$VOIDRUNNER_RUN_DIR/docker.sock" ] || ours=''
mapfile -t containers < <(cells_of "${1:-$ours}" | cut -d' ' -f2)
[ ${#containers[@]} -gt 0 ] || exit 0
engine rm --force --volumes "${containers[@]}" >/dev/null
note "removed ${#containers[@]} container(s)"
