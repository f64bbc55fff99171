# dist, built from src, migrations and the client, which the command line contains.

# A folder's time counts too: removing a file changes only that.
dist_is_stale() {
  [ ! -f dist/.built ] ||
    [ -n "$(find src migrations packages/client/src infra/build package.json package-lock.json .swcrc -newer dist/.built -print -quit 2>/dev/null)" ]
}

build_if_stale() {
  cd "$ROOT"
  dist_is_stale || return 0
  mkdir -p "$HOME_DIR" dist
  # Several command lines may find the build stale at once: one builds, the others wait for it.
  exec 8>"$HOME_DIR/build.lock"
  flock -w 300 8 || die 'another build has been running for 5 minutes'
  if dist_is_stale; then
    # A file saved while we compile must count as newer.
    touch dist/.building
    npm_run build 8>&- >&2
    hex 8 >dist/.building.id
    touch -r dist/.building dist/.building.id
    mv dist/.building.id dist/.built
    rm -f dist/.building
  fi
  exec 8>&-
}
