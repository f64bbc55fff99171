# Sourced by bin/voidrunner (sh) and build.sh, in the checkout's root. `find` takes 10 ms; starting bash takes as long again.
# shellcheck shell=sh

# A folder's time counts too: removing a file changes only that.
dist_is_stale() {
  [ ! -f dist/.built ] ||
    [ -n "$(find src migrations packages/client/src infra/build package.json package-lock.json .swcrc -newer dist/.built -print -quit 2>/dev/null)" ]
}
