/* A signal at several kHz, for the thread that starts it. */
#ifndef TORTURE_TIMER_H
#define TORTURE_TIMER_H

#include <signal.h>
#include <sys/syscall.h>

#include "torture.h"

static timer_t timer;

/* Once, in 60 to 320 us: whom it interrupts always gets on. */
static inline void timer_arm(void) {
    static unsigned turn;
    struct itimerspec t = {.it_value.tv_nsec = 60000 + 1000 * (turn = (turn * 5 + 3) & 255)};
    timer_settime(timer, 0, &t, NULL);
}

static inline void timer_begin(void (*handler)(int)) {
    struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
    event._sigev_un._tid = (int)syscall(SYS_gettid);
    sigaction(SIGRTMIN, &act, NULL);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
        die("timer_create");
    timer_arm();
}

#endif
