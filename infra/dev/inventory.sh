# Sourced by what must leave nothing behind: what is there, a line for each thing, to be compared
# before and after.
# shellcheck shell=bash

# inventory [--filter FILTER]: what is on the engine.
inventory() {
  engine ps --all --quiet --no-trunc "$@" | sed 's/^/container /' &&
    engine volume ls --quiet "$@" | sed 's/^/volume /' &&
    engine network ls --quiet --no-trunc "$@" | sed 's/^/network /'
}

# cells_of BEGINNING: the containers of workers whose name begins so; of all workers without it.
cells_of() {
  engine ps --all --no-trunc --filter label=voidrunner.managed=1 \
    --format 'cell {{.ID}} of {{.Label "voidrunner.worker"}}' |
    awk -v beginning="${1:-}" 'substr($4, 1, length(beginning)) == beginning'
}

# kept_by_host PID: what this host keeps for containers, of whichever engine; mounts as that process sees them.
kept_by_host() {
  sed -nE 's#^\S+ (\S+/(merged|rootfs)) .*#mount \1#p' "/proc/$1/mounts"
  # They come and go while we look.
  { find /sys/fs/cgroup -type d -regextype posix-extended -regex '.*[0-9a-f]{64}[^/]*' -printf 'cgroup %f\n' 2>/dev/null ||
    true; } | sort -u
}

# summary INVENTORY KIND...: how many there are of each kind.
summary() {
  local kind separator='' inventory=$1
  for kind in "${@:2}"; do
    printf '%s%s %ss' "$separator" "$(grep -c "^$kind " <<<"$inventory" || true)" "$kind"
    separator=', '
  done
}
