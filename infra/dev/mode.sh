#!/usr/bin/env bash
# Prints the mode to run in (native or compose), and on stderr why and how to force the other.
. "$(dirname "$0")/lib.sh"

force='force with VOIDRUNNER_SETUP=native or VOIDRUNNER_SETUP=compose'
chosen() { printf '==> Mode: %s (%s; %s)\n' "$1" "$2" "$force" >&2; echo "$1"; exit; }

case "${VOIDRUNNER_SETUP:-auto}" in
  native | compose) chosen "$VOIDRUNNER_SETUP" 'asked for by VOIDRUNNER_SETUP' ;;
  auto) ;;
  *) die "VOIDRUNNER_SETUP=$VOIDRUNNER_SETUP: must be auto, native or compose" ;;
esac

# What was chosen once stays: the data is there.
recorded=$(sed -n 's/^VOIDRUNNER_MODE=//p' "$SETTINGS" 2>/dev/null || true)
[ -z "$recorded" ] || chosen "$recorded" 'chosen at the first setup'

"$DEV/docker-answers.sh" || chosen native 'no Docker engine answers'
"$DEV/compose.sh" version >/dev/null 2>&1 || chosen native 'there is no Docker Compose'
if "$DEV/registry-answers.sh"; then chosen compose 'Docker Compose and a container registry answer'; fi
missing=
while read -r image; do
  docker image inspect "$image" >/dev/null 2>&1 || missing=$image
done < <(sed -n 's/^ *image: \([^$]*\)$/\1/p' "$ROOT/docker-compose.yml") # not our own, which is built
[ -n "$missing" ] || chosen compose 'no container registry answers, but every image is here'
chosen native 'no container registry answers'
