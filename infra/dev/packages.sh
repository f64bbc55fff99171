#!/usr/bin/env bash
# Installs from Debian what is missing, and starts nothing: packages.sh native|test-compose.
. "$(dirname "$0")/lib.sh"
for_what=${1:?usage: packages.sh native|test-compose}

compose_here() { docker compose version >/dev/null 2>&1 || have docker-compose; }
postgres_here() { "$DEV/postgres-bin.sh" >/dev/null 2>&1; }

missing=()
want() { # want PACKAGE PURPOSE CHECK...
  local package=$1 purpose=$2
  shift 2
  "$@" && return
  missing+=("$package")
  note "missing: $package ($purpose)"
}
if [ "$for_what" = native ]; then
  want postgresql 'event store and read models' postgres_here
  want redis-server 'job queue' have redis-server
  want nats-server 'event stream' have nats-server
else
  want docker-compose 'runs docker-compose.yml' compose_here
fi
want curl "talks to the API in the README's session" have curl
want mmdebstrap 'makes the base of the runtime images where no registry answers' have mmdebstrap
if ! "$DEV/docker-answers.sh"; then
  want docker.io 'container engine, the sandbox of user code' have dockerd
  want crun 'another runtime for the sandbox, taken where EXECUTOR_RUNTIME=crun' have crun
fi
want docker.io 'builds the runtime images' have docker
[ ${#missing[@]} -gt 0 ] || exit 0

is_root || die "run as root, or install first: apt-get install ${missing[*]}"
have apt-get || die 'this is no Debian: install the programs above, or use VOIDRUNNER_SETUP=compose'
say "Installing from Debian: ${missing[*]} (none of their own daemons is started)"

# Debian starts a daemon when its package arrives unless policy-rc.d says no; ours run on ports,
# data and credentials of their own.
cleanup=()
trap '[ ${#cleanup[@]} -eq 0 ] || rm -f "${cleanup[@]}"' EXIT
if [ ! -e /usr/sbin/policy-rc.d ]; then
  cleanup+=(/usr/sbin/policy-rc.d)
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
fi
# The same for Postgres: no "main" cluster on 5432.
no_cluster=/etc/postgresql-common/createcluster.d/voidrunner.conf
mkdir -p "${no_cluster%/*}"
cleanup+=("$no_cluster")
echo 'create_main_cluster = off' >"$no_cluster"

mkdir -p "$HOME_DIR" && mkdir -p -m 700 "$LOG_DIR"
log="$LOG_DIR/packages.log"
export DEBIAN_FRONTEND=noninteractive
apt() { apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" >>"$log" 2>&1; }
# A source that has nothing to do with us may fail to update; the install below is what counts.
apt update || note "apt-get update reported errors (see $log)"
apt install -y --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}" || {
  tail -n 20 "$log" >&2
  die "apt-get install failed; the whole log: $log"
}
