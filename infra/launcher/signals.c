#include "signals.h"

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

void signals_block_order(void) {
    sigset_t order;
    sigemptyset(&order);
    sigaddset(&order, ORDER_TO_END);
    sigprocmask(SIG_BLOCK, &order, NULL);
}

bool signals_is_order(const siginfo_t *info) {
    return info->si_code == SI_USER && info->si_pid == 0;
}

void signals_reset(void) {
    signal(SIGPIPE, SIG_DFL);
    signals_unblock_all();
}
