# Our own dockerd, if no engine answers. It has its own data, state, sockets and containerd namespaces, no default
# bridge and no firewall rules: it does not change the host's network and does not see another engine's containers.
# Networks can be created on it (test-compose.sh does): their containers reach each other but nothing outside, and a
# process forwards each published port.

dockerd_prepare() {
  [ "$DOCKER_ENDPOINT" = "$(own_engine)" ] && return
  if docker_answers "$DOCKER_ENDPOINT"; then return 1; fi
  note "no Docker engine answers at $DOCKER_ENDPOINT: starting our own"
  put_setting DOCKER_ENDPOINT "$(own_engine)"
}

dockerd_start() {
  is_root || die 'starting dockerd needs root: start an engine yourself and set DOCKER_ENDPOINT'
  have dockerd || die "dockerd is not installed: run 'make setup'"
  local run="$VOIDRUNNER_RUN_DIR" name="voidrunner-$VOIDRUNNER_INSTANCE" runtimes=() apart=()
  if have crun; then
    runtimes=(--add-runtime "crun=$(command -v crun)")
    ! cgroups_are_hybrid || apart=(unshare --mount --propagation slave sh -c "umount $UNIFIED && exec \"\$@\"" sh)
  fi
  dockerd_end_containerd
  rm -f "$run/docker.pid"
  # An empty configuration file: the host's /etc/docker/daemon.json is for the host's engine.
  echo '{}' >"$run/docker.json"
  spawn dockerd "${apart[@]}" dockerd "${runtimes[@]}" --config-file "$run/docker.json" \
    --host "$(own_engine)" --data-root "$HOME_DIR/docker" --exec-root "$run/docker" \
    --pidfile "$run/docker.pid" --group "$VOIDRUNNER_APP_UID" \
    --containerd-namespace "$name" --containerd-plugins-namespace "$name-plugins" \
    --bridge=none --iptables=false --ip-forward=false --ip-masq=false --userland-proxy=true
  await dockerd 60 docker_answers "$(own_engine)"
}

# crun starts nothing if cgroup v2 is mounted beside v1 and has a controller ("cgroups in hybrid mode not
# supported"), even if that is hugetlb, which nothing uses. All our limits are in v1 then, so the engine and what it
# starts get a mount namespace without v2. The host keeps both.
UNIFIED=/sys/fs/cgroup/unified
cgroups_are_hybrid() { grep -q . "$UNIFIED/cgroup.controllers" 2>/dev/null; }

dockerd_stop() {
  # A dockerd that was killed left containers running: a new one stops them before it ends.
  if ! running_pid dockerd >/dev/null && [ -d "$VOIDRUNNER_RUN_DIR/docker/containerd" ]; then
    dockerd_start || true
  fi
  stop_process dockerd 30 TERM
  dockerd_end_containerd
  # dockerd leaves its data folder mounted on itself and the host's network namespace bound to a file. Neither can
  # be removed while it is mounted.
  local point
  while read -r _ point _; do
    point=$(printf '%b' "$point") # the kernel writes a blank as \040
    case "$point" in "$VOIDRUNNER_RUN_DIR"/docker* | "$HOME_DIR"/docker*) umount "$point" || true ;; esac
  done < <(tac /proc/self/mounts)
}

# A dockerd that was killed leaves its containerd running (its pid file is in our run folder, its command line
# names that folder). Its pid file must be removed: the next dockerd would take a zombie, or an unrelated process with
# that pid, for its containerd.
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
