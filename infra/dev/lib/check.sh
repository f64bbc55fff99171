# `make check`: all parts at the same time (lint alone takes as long as the others together), then the output of
# those that failed, and the verdict.

check_all() {
  local part parts=(typecheck lint format:check architecture syntax) jobs=() failed=() i
  mkdir -p "$LOG_DIR"
  rm -f "$LOG_DIR"/check-*.log
  if have shellcheck; then
    parts+=(shellcheck)
  elif [ "$(generated_setting VOIDRUNNER_MODE)" = compose ]; then
    # In compose mode setup installs nothing on the machine: the other parts are enough there.
    warn 'the shell scripts are not checked: shellcheck is not installed (see CONTRIBUTING.md)'
  else
    failed=(shellcheck)
    echo "not installed: run 'make setup' (Debian, as root), or install it, for example 'apt-get install shellcheck'" \
      >"$(check_log shellcheck)"
  fi
  for part in "${parts[@]}"; do
    check_part "$part" &
    jobs+=("$!")
  done
  for i in "${!parts[@]}"; do wait "${jobs[$i]}" || failed+=("${parts[$i]}"); done
  for part in "${failed[@]}"; do
    warn "$part:"
    cat "$(check_log "$part")" >&2
  done
  [ ${#failed[@]} -eq 0 ] || die "check failed: ${failed[*]}"
  say 'Check passed'
}

check_log() { printf '%s/check-%s.log' "$LOG_DIR" "${1/:/-}"; }

check_part() { # SCRIPT: output to a log of its own, then the time
  local begin
  begin=$(now_ms)
  npm_run "$1" >"$(check_log "$1")" 2>&1 || return 1
  note "$1: fine ($(($(now_ms) - begin)) ms)"
}
