/* Durations, gathered while a load runs and sorted once at its end. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAMPLES_MAX = 2 * 1024 * 1024 };     /* what comes after them is not kept */

struct samples {
    uint32_t *values;                       /* in units of 0.1 us */
    size_t count;
};

static inline void keep(struct samples *s, int64_t ns) {
    if (s->count < SAMPLES_MAX)
        s->values[s->count++] = ns < 0 ? 0 : (uint32_t)(ns / 100);
}

static inline int compare_values(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static inline double quantile_us(const struct samples *s, double q) {
    if (s->count == 0)
        return 0;
    return s->values[(size_t)(q * (double)(s->count - 1))] / 10.0;
}

/* Prints them as one more member of a JSON object. */
static inline void print_samples(const char *name, struct samples *s) {
    qsort(s->values, s->count, sizeof *s->values, compare_values);
    printf(", \"%s\": {\"count\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f}", name, s->count,
           quantile_us(s, 0.5), quantile_us(s, 0.99));
}
