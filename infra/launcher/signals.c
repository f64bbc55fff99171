#include "signals.h"

#include <signal.h>
#include <stddef.h>

void signals_block_all(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

void signals_unblock_all(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void signals_reset(void) {
    signal(SIGPIPE, SIG_DFL);
    signals_unblock_all();
}
