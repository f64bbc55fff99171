# Our own Postgres cluster. Its superuser can log in only over the unix socket, as its own system user. All others
# use TCP on the loopback, with a password (SCRAM).

# Prints the folder of the newest installed PostgreSQL server that is at least 15. Debian installs each major version
# in a folder of its own, outside PATH.
postgres_bin() {
  local candidates in_path bin program major
  candidates=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -t/ -k5,5rn || true)
  in_path=$(command -v initdb || true)
  for bin in $candidates ${in_path:+"${in_path%/*}"}; do
    for program in initdb postgres psql; do [ -x "$bin/$program" ] || continue 2; done
    major=$("$bin/postgres" --version | grep -oE '[0-9]+' | head -n 1)
    [ "$major" -ge 15 ] || continue
    printf '%s\n' "$bin"
    return 0
  done
  return 1
}

pg_data() { printf '%s' "$VOIDRUNNER_STATE_DIR/postgres"; }

postgres_prepare() {
  ensure_port DB_PORT 15432
  postgres_remove_stale_locks
}

# A killed postmaster stays a zombie if process 1 reaps nothing (a container without an init), and Postgres takes the
# zombie for a running server. Its lock files can be removed once no living process works in the data folder (it is
# the working folder of every Postgres process).
postgres_remove_stale_locks() {
  local deadline=$((SECONDS + 10))
  [ -f "$(pg_data)/postmaster.pid" ] || return 0
  while [ -n "$(find /proc -maxdepth 2 -name cwd -lname "$(pg_data)" 2>/dev/null)" ]; do
    [ "$SECONDS" -lt "$deadline" ] || { warn "another Postgres uses $(pg_data)"; return 0; }
    sleep 0.1
  done
  rm -f "$(pg_data)/postmaster.pid" "$VOIDRUNNER_RUN_DIR"/postgres/.s.PGSQL.*
}

postgres_start() {
  local bin settings as=()
  bin=$(postgres_bin) || die "PostgreSQL 15 or newer is not installed: run 'make setup'"
  # Postgres refuses to run as root. --reset-env: the caller's environment (PGDATA, PGPORT, secrets) does not reach it.
  ! is_root || as=(setpriv --reuid=postgres --regid=postgres --clear-groups --reset-env)
  mkdir -p "$VOIDRUNNER_RUN_DIR/postgres"
  ! is_root || chown postgres:postgres "$VOIDRUNNER_RUN_DIR/postgres"
  chmod 700 "$VOIDRUNNER_RUN_DIR/postgres"
  [ -f "$(pg_data)/PG_VERSION" ] || postgres_init
  # On the command line, so that clusters of earlier versions get them too.
  mapfile -t settings < <(sed -n 's/^[a-z].*/-c\n&/p' "$ROOT/infra/postgres/log-settings.conf")
  spawn postgres "${as[@]}" "$bin/postgres" -D "$(pg_data)" -p "$DB_PORT" -k "$VOIDRUNNER_RUN_DIR/postgres" \
    -c listen_addresses=127.0.0.1 "${settings[@]}"
  # A crash recovery may take long; Postgres itself reports when it accepts connections.
  await postgres 120 as_superuser -c 'SELECT 1' || return 1
  as_superuser -f - <"$ROOT/infra/postgres/bootstrap.sql" >>"$LOG_DIR/postgres.log" 2>&1 || {
    show_log postgres 'cannot create roles and database'
    return 1
  }
}

# Without --reset-env: the script reads names and passwords from the environment, not from a command line that `ps`
# shows.
as_superuser() {
  PGCONNECT_TIMEOUT=5 ${as:+setpriv --reuid=postgres --regid=postgres --clear-groups} "$bin/psql" -X -q \
    -h "$VOIDRUNNER_RUN_DIR/postgres" -p "$DB_PORT" -U postgres -d postgres "$@"
}

# In a folder of its own, renamed when it is complete: an interrupted initdb is repeated.
postgres_init() {
  local fresh
  fresh="$(pg_data).new"
  rm -rf "$fresh"
  mkdir -m 700 "$fresh"
  ! is_root || chown postgres:postgres "$fresh"
  note "creating the Postgres cluster in $(pg_data)"
  "${as[@]}" "$bin/initdb" -D "$fresh" -U postgres --auth-local=peer --auth-host=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 --data-checksums >>"$LOG_DIR/postgres.log" 2>&1 || {
    show_log postgres 'initdb failed'
    return 1
  }
  cat >>"$fresh/postgresql.conf" <<CONF
# VoidRunner: as in production (fsync and synchronous_commit stay on), with enough connections for tests. max_wal_size
# is large enough that most bursts of writes start no checkpoint: during one, writes wait for the disk.
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
  mv "$fresh" "$(pg_data)"
}

postgres_stop() { stop_process postgres 30 INT; } # INT: "fast", ends sessions and writes a checkpoint
