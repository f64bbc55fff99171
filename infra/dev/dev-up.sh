#!/usr/bin/env bash
# From a fresh clone to the output of a first task.
. "$(dirname "$0")/lib.sh"
begin=$(now_ms)
"$DEV/up.sh"
if [ "$(setting VOIDRUNNER_MODE)" = compose ]; then
  "$DEV/compose.sh" up --detach --build
  "$DEV/compose-wait.sh" app worker
else
  "$DEV/app.sh" start
fi
say "Everything is up after $((($(now_ms) - begin) / 1000)) s. A first task, as a new user would run it:"
need_settings # only now: starting may have chosen another port
"$NODE" "$DEV/first-task.mjs"
