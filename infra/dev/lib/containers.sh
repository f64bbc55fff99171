# What exists on the engine and on the host, a line for each thing, to be compared before and after; and the removal
# of containers that our workers left.

# engine_inventory [--filter FILTER]
engine_inventory() {
  engine ps --all --quiet --no-trunc "$@" | sed 's/^/container /' &&
    engine volume ls --quiet "$@" | sed 's/^/volume /' &&
    engine network ls --quiet --no-trunc "$@" | sed 's/^/network /'
}

# cells_of BEGINNING: the containers of workers whose name has this beginning; without it, of all workers.
cells_of() {
  engine ps --all --no-trunc --filter label=voidrunner.managed=1 \
    --format 'cell {{.ID}} of {{.Label "voidrunner.worker"}}' |
    awk -v beginning="${1:-}" 'substr($4, 1, length(beginning)) == beginning'
}

# host_inventory PID: mounts and cgroups that this host keeps for containers of any engine; the mounts in the mount
# namespace of PID.
host_inventory() {
  sed -nE 's#^\S+ (\S+/(merged|rootfs)) .*#mount \1#p' "/proc/$1/mounts"
  # cgroups appear and disappear during the search.
  { find /sys/fs/cgroup -type d -regextype posix-extended -regex '.*[0-9a-f]{64}[^/]*' -printf 'cgroup %f\n' 2>/dev/null ||
    true; } | sort -u
}

# summary INVENTORY KIND...: the number of lines of each kind.
summary() {
  local kind
  for kind in "${@:2}"; do printf '%s %ss, ' "$(grep -c "^$kind " <<<"$1" || true)" "$kind"; done | sed 's/, $//'
}

# remove_containers BEGINNING: the containers of workers whose name has this beginning. If it is empty: all managed
# containers on our own engine, those of this instance on a shared one.
remove_containers() {
  docker_answers "$DOCKER_ENDPOINT" || return 0
  local beginning="${QUEUE_NAMESPACE:-voidrunner}." containers
  [ "$DOCKER_ENDPOINT" != "$(own_engine)" ] || beginning=''
  mapfile -t containers < <(cells_of "${1:-$beginning}" | cut -d' ' -f2)
  [ ${#containers[@]} -gt 0 ] || return 0
  engine rm --force --volumes "${containers[@]}" >/dev/null
  note "removed ${#containers[@]} container(s)"
}
