# Background processes of ours: started so that they outlive the terminal, stopped only when the
# recorded pid is still the process we started.
# shellcheck shell=bash

# Clock ticks from boot to the start of process $1: with the pid it names one process forever,
# so a recycled pid is never mistaken for ours. (The name in field 2 may hold spaces: cut it off.)
started_at() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  # shellcheck disable=SC2086
  set -- $stat
  [ "$1" != Z ] || return 1
  printf '%s' "${20}"
}

# Prints the pid of our process $1 when it is alive.
running_pid() {
  local pid ticks
  [ -f "$PID_DIR/$1" ] || return 1
  read -r pid ticks <"$PID_DIR/$1" || return 1
  [ -n "${pid:-}" ] && [ "$(started_at "$pid" || true)" = "$ticks" ] || return 1
  printf '%s' "$pid"
}

# spawn NAME COMMAND...: in a session of its own, with stdin from nowhere and no descriptor of
# ours (not make's job server, not the checkout's lock, not a pipe whose reader waits for EOF). Logs
# and whatever else it writes are for its owner alone.
spawn() {
  local name=$1 pid
  shift
  own_dir "$LOG_DIR"
  own_dir "$PID_DIR"
  rotate "$LOG_DIR/$name.log"
  (umask 077 && : >>"$LOG_DIR/$name.log")
  chmod 600 "$LOG_DIR/$name.log" # one of an earlier version
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

own_dir() { mkdir -p "$1" && chmod 700 "$1"; }

# Keeps one older file beside a big one.
rotate() {
  [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -lt 50000000 ] || mv -f "$1" "$1.1"
}

# await NAME SECONDS CHECK...: until CHECK succeeds; gives up at once when the process is gone (then
# another process answers the check).
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

# stop NAME SECONDS SIGNAL: ask, wait, insist.
stop() {
  local name=$1 deadline=$((SECONDS + $2)) pid
  if pid=$(running_pid "$name"); then
    kill -"$3" "$pid" 2>/dev/null || true
    while running_pid "$name" >/dev/null; do
      if [ "$SECONDS" -ge "$deadline" ]; then
        warn "$name (pid $pid) ignored SIG$3 for $2 s: killing it"
        kill -KILL "$pid" 2>/dev/null || true
        deadline=$((SECONDS + 5))
      fi
      sleep 0.05
    done
  fi
  rm -f "$PID_DIR/$name"
}

# settle_port KEY PREFERRED [ELSE]: a service about to start needs its port; if a stranger took it since
# setup, choose again (unless the environment or .env insists on it).
settle_port() {
  local key=$1 port=${!1:-}
  [ -n "$port" ] && ! port_busy "$port" && return
  if [ -n "$port" ] && ! grep -qx "$key=$port" "$SETTINGS"; then
    die "$key=$port was asked for, but something else listens there"
  fi
  [ -z "$port" ] || note "$key: port $port was taken by another program, choosing again"
  put_setting "$key" "$(free_port "$2" "${3:-}")"
}

# Prints a command prefix that drops root for the package's own user, when there is one.
unprivileged() {
  if is_root && id "$1" >/dev/null 2>&1; then
    printf 'setpriv --reuid=%s --regid=%s --clear-groups' "$1" "$(id -g "$1")"
  fi
}
