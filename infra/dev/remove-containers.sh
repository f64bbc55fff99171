#!/usr/bin/env bash
# Removes the containers our workers left. On an engine of our own that is every managed one; on a
# shared one only those whose worker's name begins with this instance's namespace.
. "$(dirname "$0")/lib.sh"
need_settings
"$DEV/docker-answers.sh" "$DOCKER_ENDPOINT" || exit 0
engine() { docker --host "$DOCKER_ENDPOINT" "$@"; }

ours="${QUEUE_NAMESPACE:-voidrunner}."
[ "$DOCKER_ENDPOINT" != "unix://$VOIDRUNNER_RUN_DIR/docker.sock" ] || ours=''
mapfile -t containers < <(
  engine ps --all --no-trunc --filter label=voidrunner.managed=1 --format '{{.ID}} {{.Label "voidrunner.worker"}}' |
    awk -v ours="$ours" 'index($2, ours) == 1 || ours == "" { print $1 }'
)
[ ${#containers[@]} -gt 0 ] || exit 0
engine rm --force --volumes "${containers[@]}" >/dev/null
note "removed ${#containers[@]} container(s)"
