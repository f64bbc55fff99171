# Debian packages: installs what is missing, and starts nothing.

# install_packages native|test-compose
install_packages() {
  local missing=()
  if [ "$1" = native ]; then
    want postgresql 'event store and read models' postgres_bin
    want redis-server 'job queue' have redis-server
    want nats-server 'event stream' have nats-server
    want shellcheck "checks the shell scripts in 'make check'" have shellcheck
  else
    want docker-compose 'runs docker-compose.yml' compose version
  fi
  want curl "talks to the API in the README's session" have curl
  want mmdebstrap 'makes the base of the runtime images if no registry answers' have mmdebstrap
  if ! docker_answers; then
    want docker.io 'container engine, the sandbox of user code' have dockerd
    want crun 'another runtime for the sandbox, for EXECUTOR_RUNTIME=crun' have crun
  fi
  want docker.io 'builds the runtime images' have docker
  [ ${#missing[@]} -gt 0 ] || return 0

  is_root || die "run as root, or install first: apt-get install ${missing[*]}"
  have apt-get || die 'this is not Debian: install the programs above, or use VOIDRUNNER_SETUP=compose'
  say "Installing from Debian: ${missing[*]} (none of their own daemons is started)"
  # In a subshell, so that its EXIT trap removes what it put on the host.
  (install_from_debian "${missing[@]}")
}

want() { # want PACKAGE PURPOSE CHECK...
  "${@:3}" >/dev/null 2>&1 && return
  missing+=("$1")
  note "missing: $1 ($2)"
}

install_from_debian() {
  # Debian starts a daemon when its package is installed, unless policy-rc.d says no. Ours run on their own ports,
  # data and credentials.
  local policy=/usr/sbin/policy-rc.d no_cluster=/etc/postgresql-common/createcluster.d/voidrunner.conf
  temporary=("$no_cluster")
  trap 'rm -f "${temporary[@]}"' EXIT
  if [ ! -e "$policy" ]; then
    temporary+=("$policy")
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  # The same for Postgres: no "main" cluster on 5432.
  mkdir -p "${no_cluster%/*}"
  echo 'create_main_cluster = off' >"$no_cluster"

  export DEBIAN_FRONTEND=noninteractive
  local apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  # A source that does not concern us may fail to update; only the result of the installation counts.
  "${apt[@]}" update >"$LOG_DIR/packages-update.log" 2>&1 ||
    note "apt-get update reported errors (see $LOG_DIR/packages-update.log)"
  logged packages 'apt-get install failed' \
    "${apt[@]}" install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
}
