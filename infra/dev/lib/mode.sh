# The mode: native (own instances from Debian's packages) or compose (containers of docker-compose.yml).

# Prints the mode and ends the (sub)shell; on stderr the reason, and how to force the other mode.
chosen() {
  printf '==> Mode: %s (%s; force with VOIDRUNNER_SETUP=native or VOIDRUNNER_SETUP=compose)\n' "$1" "$2" >&2
  echo "$1"
  exit
}

choose_mode() {
  local recorded image missing=''
  case "${VOIDRUNNER_SETUP:-auto}" in
    native | compose) chosen "$VOIDRUNNER_SETUP" 'VOIDRUNNER_SETUP asks for it' ;;
    auto) ;;
    *) die "VOIDRUNNER_SETUP=$VOIDRUNNER_SETUP: must be auto, native or compose" ;;
  esac
  # Later setups keep the first choice: the data is there.
  recorded=$(generated_setting VOIDRUNNER_MODE)
  [ -z "$recorded" ] || chosen "$recorded" 'the first setup chose it'

  docker_answers || chosen native 'no Docker engine answers'
  compose version >/dev/null 2>&1 || chosen native 'Docker Compose is not installed'
  if registry_answers; then chosen compose 'Docker Compose and a container registry answer'; fi
  while read -r image; do
    docker image inspect "$image" >/dev/null 2>&1 || missing=$image
  done < <(sed -n 's/^ *image: \([^$]*\)$/\1/p' "$ROOT/docker-compose.yml") # not our own, which is built
  [ -n "$missing" ] || chosen compose 'no container registry answers, but every image exists here'
  chosen native 'no container registry answers'
}
