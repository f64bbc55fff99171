#!/usr/bin/env bash
# Makes dist of src and migrations, when they changed since the last time.
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

# Folders count too: removing a file touches only its folder.
stale() {
  [ ! -f dist/.built ] ||
    [ -n "$(find src migrations infra/build package.json package-lock.json .swcrc -newer dist/.built -print -quit 2>/dev/null)" ]
}

stale || exit 0
mkdir -p "$HOME_DIR" dist
# Several command lines may find the build stale at once: one builds, the others wait for it.
exec 8>"$HOME_DIR/build.lock"
flock -w 300 8 || die 'another build has been running for 5 minutes'
stale || exit 0

# A file saved while we compile must count as newer.
touch dist/.building
PATH="$ROOT/node_modules/.bin:$PATH" npm run --silent build 8>&- >&2
hex 8 >dist/.building.id
touch -r dist/.building dist/.building.id
mv dist/.building.id dist/.built
rm -f dist/.building
