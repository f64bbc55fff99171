# Our own dockerd, when no engine answers: its own data, state, sockets and containerd
# namespaces, no default bridge and no firewall rules, so that it changes nothing of the host's network
# and knows nothing of another engine's containers. Networks can be made on it (test-compose.sh does):
# their containers reach each other but not the world, and a process carries each published port.
# shellcheck shell=bash

own_docker() { printf 'unix://%s/docker.sock' "$VOIDRUNNER_RUN_DIR"; }

dockerd_prepare() {
  [ "$DOCKER_ENDPOINT" = "$(own_docker)" ] && return
  if "$DEV/docker-answers.sh" "$DOCKER_ENDPOINT"; then return 1; fi
  note "no Docker engine answers at $DOCKER_ENDPOINT: starting our own"
  put_setting DOCKER_ENDPOINT "$(own_docker)"
}

dockerd_start() {
  is_root || die 'starting dockerd needs root: start an engine yourself and set DOCKER_ENDPOINT'
  have dockerd || die 'no dockerd here: run `make setup`'
  local run="$VOIDRUNNER_RUN_DIR" name="voidrunner-$VOIDRUNNER_INSTANCE" runtimes=() apart=()
  if have crun; then
    runtimes=(--add-runtime "crun=$(command -v crun)")
    if dockerd_is_on_hybrid_cgroups; then
      apart=(unshare --mount --propagation slave sh -c "$WITHOUT_UNIFIED" sh)
    fi
  fi
  dockerd_end_containerd
  rm -f "$run/docker.pid"
  # An empty configuration file: the host's /etc/docker/daemon.json is for the host's engine.
  echo '{}' >"$run/docker.json"
  spawn dockerd "${apart[@]}" dockerd "${runtimes[@]}" --config-file "$run/docker.json" \
    --host "$(own_docker)" --data-root "$HOME_DIR/docker" --exec-root "$run/docker" \
    --pidfile "$run/docker.pid" --group "$VOIDRUNNER_APP_UID" \
    --containerd-namespace "$name" --containerd-plugins-namespace "$name-plugins" \
    --bridge=none --iptables=false --ip-forward=false --ip-masq=false --userland-proxy=true
  await dockerd 60 "$DEV/docker-answers.sh" "$(own_docker)"
}

# crun starts nothing where cgroup v2 stands beside v1 and keeps a controller ("cgroups in hybrid mode
# not supported"), be it hugetlb, which nobody asked for. All limits of ours are v1's there: the
# engine, and what it starts, get a mount namespace without the other. The host keeps both.
UNIFIED=/sys/fs/cgroup/unified
WITHOUT_UNIFIED="umount $UNIFIED && exec \"\$@\""
dockerd_is_on_hybrid_cgroups() { grep -q . "$UNIFIED/cgroup.controllers" 2>/dev/null; }

dockerd_stop() {
  # One that was killed left containers running: a new one collects them before it ends.
  if ! running_pid dockerd >/dev/null && [ -d "$VOIDRUNNER_RUN_DIR/docker/containerd" ]; then
    dockerd_start || true
  fi
  stop dockerd 30 TERM
  dockerd_end_containerd
  # It leaves its data folder mounted on itself and the host's network namespace bound to a file:
  # neither could be removed then.
  local point
  while read -r _ point _; do
    point=$(printf '%b' "$point") # the kernel writes a blank as \040
    case "$point" in "$VOIDRUNNER_RUN_DIR"/docker* | "$HOME_DIR"/docker*) umount "$point" || true ;; esac
  done < <(tac /proc/self/mounts)
}

# A dockerd that was killed leaves its containerd behind (its pid file is under our run folder, its
# command line names that folder); and its pid file must go, or the next dockerd takes a zombie, or
# a stranger with that number, for its containerd.
dockerd_end_containerd() {
  local file="$VOIDRUNNER_RUN_DIR/docker/containerd/containerd.pid" pid deadline=$((SECONDS + 10))
  pid=$(cat "$file" 2>/dev/null) || return 0
  if grep -qzF "$VOIDRUNNER_RUN_DIR/docker/" "/proc/$pid/cmdline" 2>/dev/null; then
    kill -TERM "$pid" 2>/dev/null || true
    while started_at "$pid" >/dev/null; do
      [ "$SECONDS" -lt "$deadline" ] || { kill -KILL "$pid" 2>/dev/null || true; break; }
      sleep 0.05
    done
  fi
  rm -f "$file"
}
