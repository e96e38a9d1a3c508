/* The command line of the load generator: its usage stands at the top of load.c. */
#pragma once

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

enum { CONNECTIONS_MAX = 10000, REQUEST_MAX = 1024 * 1024, SECONDS_MAX = 120 };

enum mode { CLOSED, OPEN, STREAM };

static struct {
    enum mode mode;
    uint16_t port;
    uint32_t connections, chunks, rate;
    double seconds, warm, ramp;
} options = {.connections = 1, .chunks = 1, .rate = 300, .seconds = 1, .warm = 0.2, .ramp = 0.05};

static char *request;
static size_t request_size;

static void read_request(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        die(path);
    request = malloc(REQUEST_MAX);
    request_size = request ? fread(request, 1, REQUEST_MAX, file) : 0;
    fclose(file);
}

static void usage(const char *why) {
    fprintf(stderr, "load: %s; the usage stands at the top of load.c\n", why);
    exit(2);
}

static enum mode mode_named(const char *name) {
    static const char *names[] = {"closed", "open", "stream"};
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum mode)i;
    usage("no such mode");
    return CLOSED;
}

static void read_options(int argc, char **argv) {
    static const struct option known[] = {
        {"port", required_argument, NULL, 'p'},    {"request", required_argument, NULL, 'f'},
        {"connections", required_argument, NULL, 'c'}, {"seconds", required_argument, NULL, 's'},
        {"warm", required_argument, NULL, 'w'},    {"ramp", required_argument, NULL, 'r'},
        {"rate", required_argument, NULL, 'q'},    {"chunks", required_argument, NULL, 'n'},
        {NULL, 0, NULL, 0}};
    if (argc < 2)
        usage("no mode");
    options.mode = mode_named(argv[1]);
    for (int name; (name = getopt_long(argc - 1, argv + 1, "", known, NULL)) != -1;) {
        switch (name) {
        case 'p': options.port = (uint16_t)atoi(optarg); break;
        case 'f': read_request(optarg); break;
        case 'c': options.connections = (uint32_t)atoi(optarg); break;
        case 's': options.seconds = atof(optarg); break;
        case 'w': options.warm = atof(optarg); break;
        case 'r': options.ramp = atof(optarg); break;
        case 'q': options.rate = (uint32_t)atoi(optarg); break;
        case 'n': options.chunks = (uint32_t)atoi(optarg); break;
        default: usage("unknown option");
        }
    }
    if (options.port == 0 || request_size == 0)
        usage("--port and a --request that is not empty are needed");
    if (options.connections < 1 || options.connections > CONNECTIONS_MAX || options.rate < 1)
        usage("connections or rate out of bounds");
    if (options.seconds + options.warm + options.ramp > SECONDS_MAX)
        usage("too long");
}
