# Our own Postgres cluster. Its superuser is reachable only over the unix socket, by its own
# system user; everybody else speaks TCP on the loopback with a password (SCRAM).
# shellcheck shell=bash

pg_data() { printf '%s' "$VOIDRUNNER_STATE_DIR/postgres"; }

# Postgres refuses to run as root.
as_postgres() {
  if is_root; then setpriv --reuid=postgres --regid=postgres --clear-groups --reset-env "$@"; else "$@"; fi
}

postgres_prepare() {
  settle_port DB_PORT 15432
  postgres_forget_dead
}

# A killed postmaster stays as a zombie where process 1 reaps nobody (a container without an init),
# and Postgres takes the zombie for a running server. Its lock files may go once no living process
# works in the data folder (every Postgres process has it as its working folder).
postgres_forget_dead() {
  local deadline=$((SECONDS + 10))
  [ -f "$(pg_data)/postmaster.pid" ] || return 0
  while [ -n "$(find /proc -maxdepth 2 -name cwd -lname "$(pg_data)" 2>/dev/null)" ]; do
    [ "$SECONDS" -lt "$deadline" ] || { warn "another Postgres works in $(pg_data)"; return 0; }
    sleep 0.1
  done
  rm -f "$(pg_data)/postmaster.pid" "$VOIDRUNNER_RUN_DIR"/postgres/.s.PGSQL.*
}

postgres_start() {
  local bin
  bin=$("$DEV/postgres-bin.sh") || die 'no PostgreSQL 15 or newer here: run `make setup`'
  mkdir -p "$VOIDRUNNER_RUN_DIR/postgres"
  is_root && chown postgres:postgres "$VOIDRUNNER_RUN_DIR/postgres"
  chmod 700 "$VOIDRUNNER_RUN_DIR/postgres"
  [ -f "$(pg_data)/PG_VERSION" ] || postgres_init "$bin"

  # --reset-env: nothing of the caller's environment (PGDATA, PGPORT, secrets) reaches the server.
  # shellcheck disable=SC2046
  spawn postgres $(is_root && echo setpriv --reuid=postgres --regid=postgres --clear-groups --reset-env) \
    "$bin/postgres" -D "$(pg_data)" -p "$DB_PORT" -k "$VOIDRUNNER_RUN_DIR/postgres" \
    -c listen_addresses=127.0.0.1 $(postgres_log_settings)
  # A crash recovery may take a while; Postgres itself says when it accepts connections.
  await postgres 120 as_superuser "$bin" -c 'SELECT 1' || return 1
  as_superuser "$bin" -f - <"$ROOT/infra/postgres/bootstrap.sql" >>"$LOG_DIR/postgres.log" 2>&1 || {
    show_log postgres 'cannot create roles and database'
    return 1
  }
}

# On the command line, so that clusters of earlier versions have them as well.
postgres_log_settings() { sed -n '/^[a-z]/s/^/-c /p' "$ROOT/infra/postgres/log-settings.conf"; }

as_superuser() {
  local bin=$1
  shift
  local run=(env PGCONNECT_TIMEOUT=5 "$bin/psql" -X -q -h "$VOIDRUNNER_RUN_DIR/postgres" -p "$DB_PORT" -U postgres -d postgres "$@")
  # No --reset-env here: the script reads names and passwords from the environment, not from
  # a command line that `ps` shows.
  if is_root; then setpriv --reuid=postgres --regid=postgres --clear-groups "${run[@]}"; else "${run[@]}"; fi
}

# In a folder beside, renamed when whole: an interrupted initdb is simply done again.
postgres_init() {
  local bin=$1 fresh data
  data=$(pg_data)
  fresh="$data.new"
  rm -rf "$fresh"
  mkdir -m 700 "$fresh"
  is_root && chown postgres:postgres "$fresh"
  note "creating the Postgres cluster in $data"
  as_postgres "$bin/initdb" -D "$fresh" -U postgres --auth-local=peer --auth-host=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 --data-checksums >>"$LOG_DIR/postgres.log" 2>&1 || {
    show_log postgres 'initdb failed'
    return 1
  }
  cat >>"$fresh/postgresql.conf" <<CONF
# VoidRunner: as in production (fsync and synchronous_commit stay on), with room for tests. For most
# bursts of writes a checkpoint comes by time, not by their size: beside it they wait for the disk.
max_connections = 200
shared_buffers = 256MB
max_wal_size = 4GB
timezone = 'UTC'
log_timezone = 'UTC'
CONF
  if ! is_root; then # the user that runs the cluster may be its superuser
    sed -i 's/^\(local .*\)peer$/\1peer map=me/' "$fresh/pg_hba.conf"
    printf 'me %s postgres\n' "$(id -un)" >>"$fresh/pg_ident.conf"
  fi
  mv "$fresh" "$data"
}

postgres_stop() { stop postgres 30 INT; } # INT: "fast", ends sessions and writes a checkpoint
