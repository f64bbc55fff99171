# Free ports on the loopback.

# True if something listens on 127.0.0.1:$1 (a wildcard listener answers there too).
port_busy() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port PREFERRED [ELSE]: the first free port from PREFERRED upwards. With ELSE: PREFERRED itself, or the
# first free port from ELSE upwards (8081 is for the documentation).
free_port() {
  local port=$1 last
  if [ -n "${2:-}" ] && port_busy "$port"; then port=$2; fi
  last=$((port + 200))
  while port_busy "$port"; do
    port=$((port + 1))
    [ "$port" -le "$last" ] || die "no free port between $1 and $last"
  done
  printf '%s' "$port"
}

# ensure_port KEY PREFERRED [ELSE]: before a service starts. If another program took its port since setup,
# chooses another one, unless the environment or .env sets the port.
ensure_port() {
  local key=$1 port=${!1:-}
  if [ -n "$port" ]; then
    port_busy "$port" || return 0
    grep -qx "$key=$port" "$SETTINGS" || die "$key=$port is set, but another program listens there"
    note "$key: another program took port $port, choosing another one"
  fi
  put_setting "$key" "$(free_port "$2" "${3:-}")"
}
