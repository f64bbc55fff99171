#!/usr/bin/env bash
# Succeeds when a Docker engine answers at $1 (default: DOCKER_ENDPOINT, else the default socket).
# A bare HTTP ping, so that it works before any docker client is installed.
. "$(dirname "$0")/lib.sh"

endpoint=${1:-${DOCKER_ENDPOINT:-unix:///var/run/docker.sock}}
case "$endpoint" in
  unix://*) [ -S "${endpoint#unix://}" ] || exit 1 ;;
esac
if have docker; then
  timeout 10 env -u DOCKER_CONTEXT docker --host "$endpoint" version --format '{{.Server.Version}}' >/dev/null 2>&1
else
  PING_ENDPOINT="$endpoint" timeout 10 node -e '
    const url = process.env.PING_ENDPOINT;
    const at = url.startsWith("unix://") ? { socketPath: url.slice(7) }
      : { host: new URL(url).hostname, port: new URL(url).port || 2375 };
    require("node:http").get({ ...at, path: "/_ping" }, (res) => process.exit(res.statusCode === 200 ? 0 : 1))
      .on("error", () => process.exit(1));'
fi
