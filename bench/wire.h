/* What mock and load agree on: the clock that the mock writes into every chunk of a stream, as
 * CLOCK_MARK and CLOCK_DIGITS hex digits, and that the load generator reads out again. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CLOCK_DIGITS = 16 };

static const char CLOCK_MARK = '@';     /* occurs nowhere else in a stream */
static const int64_t SECOND = 1000000000;

/* The host's monotonic clock in ns: the same for every process on it. */
static inline int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* Ends the program over what the system refused. */
static inline void die(const char *what) {
    perror(what);
    exit(1);
}
