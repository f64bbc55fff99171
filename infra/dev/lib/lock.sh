# One writer at a time per checkout: two terminals, or a test run beside `make dev-up`, would otherwise choose
# settings or start services twice. The lock ends with the process that took it (fd 9). A process started under
# the lock inherits it instead of waiting for its own parent.

lock_checkout() {
  mkdir -p "$HOME_DIR"
  (umask 077 && mkdir -p "$LOG_DIR" "$PID_DIR")
  [ "${VOIDRUNNER_LOCKED:-}" != "$HOME_DIR" ] || return 0
  exec 9>"$HOME_DIR/lock"
  if ! flock -n 9; then
    note 'another make target is at work in this checkout: waiting for it (at most 15 minutes)'
    flock -w 900 9 || die "still locked after 15 minutes: $HOME_DIR/lock"
  fi
  export VOIDRUNNER_LOCKED="$HOME_DIR"
}
