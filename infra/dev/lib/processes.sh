# Background processes of ours. They outlive the terminal. They are stopped only if the recorded pid still is the
# process that we started.

# Clock ticks from boot to the start of process $1. With the pid it identifies one process forever, so that a
# recycled pid is never mistaken for ours. (The name in field 2 may contain spaces: cut it off.)
started_at() {
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -ra fields <<<"${stat##*) }"
  [ "${fields[0]}" != Z ] || return 1
  printf '%s' "${fields[19]}"
}

# Prints the pid of our process $1 if it is alive.
running_pid() {
  local pid ticks
  [ -f "$PID_DIR/$1" ] || return 1
  read -r pid ticks <"$PID_DIR/$1" || return 1
  [ -n "${pid:-}" ] && [ "$(started_at "$pid" || true)" = "$ticks" ] || return 1
  printf '%s' "$pid"
}

app_is_ready() { curl -fs --max-time 5 --output /dev/null "http://$SERVER_HOST:$SERVER_PORT/ready"; }

# spawn NAME COMMAND...: in a session of its own, with an empty stdin and no descriptor of ours (not make's job
# server, not the checkout's lock, not a pipe whose reader waits for EOF). Logs and other files that it writes are
# for its owner only.
spawn() {
  local name=$1 pid fd
  shift
  own_dir "$LOG_DIR"
  own_dir "$PID_DIR"
  rotate "$LOG_DIR/$name.log"
  (umask 077 && : >>"$LOG_DIR/$name.log")
  chmod 600 "$LOG_DIR/$name.log" # an earlier version may have made it
  (
    umask 077
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      [ "$fd" -le 2 ] || eval "exec $fd>&-" 2>/dev/null || true
    done
    unset VOIDRUNNER_LOCKED MAKEFLAGS MFLAGS MAKELEVEL
    exec setsid nohup "$@"
  ) </dev/null >>"$LOG_DIR/$name.log" 2>&1 &
  pid=$!
  printf '%s %s\n' "$pid" "$(started_at "$pid" || echo gone)" >"$PID_DIR/$name"
}

# spawn_as_package_user NAME DATA COMMAND...: if root starts it, as the user NAME of the package, who gets the folder
# DATA.
spawn_as_package_user() {
  local as=()
  if is_root && id "$1" >/dev/null 2>&1; then
    chown -R "$1" "$2"
    as=(setpriv --reuid="$1" --regid="$(id -g "$1")" --clear-groups)
  fi
  spawn "$1" "${as[@]}" "${@:3}"
}

own_dir() { mkdir -p "$1" && chmod 700 "$1"; }

# Keeps one older file beside a large one.
rotate() {
  [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -lt 50000000 ] || mv -f "$1" "$1.1"
}

# await NAME SECONDS CHECK...: until CHECK succeeds. Fails at once if the process has ended: then another process
# answers the check.
await() {
  local name=$1 deadline=$((SECONDS + $2)) ok
  shift 2
  while :; do
    ok=no
    if "$@" >/dev/null 2>&1; then ok=yes; fi
    running_pid "$name" >/dev/null || { show_log "$name" "$name stopped while starting"; return 1; }
    [ "$ok" = no ] || return 0
    [ "$SECONDS" -lt "$deadline" ] || { show_log "$name" "$name is not ready in time"; return 1; }
    sleep 0.1
  done
}

show_log() {
  warn "$2; the end of $LOG_DIR/$1.log:"
  tail -n 20 "$LOG_DIR/$1.log" >&2 2>/dev/null || true
}

# stop_process NAME SECONDS SIGNAL: sends SIGNAL, and SIGKILL after SECONDS.
stop_process() {
  local name=$1 deadline=$((SECONDS + $2)) pid
  if pid=$(running_pid "$name"); then
    kill -"$3" "$pid" 2>/dev/null || true
    while running_pid "$name" >/dev/null; do
      if [ "$SECONDS" -ge "$deadline" ]; then
        warn "$name (pid $pid) did not end within $2 s of SIG$3: killing it"
        kill -KILL "$pid" 2>/dev/null || true
        deadline=$((SECONDS + 5))
      fi
      sleep 0.05
    done
  fi
  rm -f "$PID_DIR/$name"
}
