/* A load generator for 127.0.0.1: one thread, one epoll, nothing allocated a request.
 *
 * usage: load MODE --port P --request FILE [--connections C] [--seconds S] [--warm S] [--ramp S]
 *             [--rate R] [--chunks N]
 *
 *   closed  C connections, each sends its next request when the last reply is whole
 *   open    R requests a second over C connections, each timed from the moment when it was
 *           due, whether or not a connection was free: a slow reply cannot hide behind itself
 *   stream  C connections, each with one stream of N chunks after the other
 *
 * FILE holds one request as it goes over the wire. Connections are opened evenly over the
 * ramp; after it and the warm-up the line `measuring` is printed and the counters begin;
 * after S seconds more come the figures as one JSON line. Every reply must be a 200 and have
 * the length that its head promised, which is the same for all, every stream its N chunks and a
 * proper end; what is not so counts as failed, and MAX_FAILED of them end the run.
 *
 * Requests that are under way when the time is up are waited for, DRAIN_SECONDS at most, and
 * counted as late: the slowest ones must not go missing from the latencies, nor their cost from
 * the target's. Streams are just left.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "samples.h"
#include "wire.h"

enum {
    HEAD_MAX = 8192,
    READ_MAX = 64 * 1024,
    EVENTS = 256,
    MAX_FAILED = 1000,
    DRAIN_SECONDS = 8,
    END_SIZE = 7,
};

static const char STREAM_END[] = "\r\n0\r\n\r\n";    /* the last chunk of the chunked coding */

enum phase { UNUSED, FREE, WAITING, READING };

struct conn {
    int fd;
    enum phase phase;
    bool chunked;
    int clock_left;             /* digits still to come of the clock that is being read */
    int64_t clock;
    int64_t due;                /* when the request was to be sent */
    size_t sent;                /* of the request */
    size_t body_left;
    uint32_t chunks;            /* seen in this reply */
    size_t head_used;
    char end[END_SIZE];         /* the last bytes seen of a chunked reply */
    char head[HEAD_MAX + 1];
};

static size_t reply_size;               /* of the first reply that was not a stream */
static int epoll_fd;
static struct conn *conns;
static uint32_t opened;
static struct conn **free_conns;        /* mode open: those that wait for a request */
static uint32_t free_count;
static int64_t start, measure_from, stop_at;
static bool measuring;
static uint64_t issued;                 /* mode open: requests sent or due so far */
static uint64_t requests, late, chunks, failed;        /* failed: from the start, the ramp included */
static const char *first_failure = "";
static struct samples latency, first_chunk, on_the_way;

static void sample(struct samples *s, int64_t ns) {
    if (measuring)
        keep(s, ns);
}

/* -- connections ------------------------------------------------------------------------- */

static void connect_to_target(struct conn *c) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(options.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    memset(c, 0, sizeof *c);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("load: socket");
    /* Blocking: over loopback a connect takes microseconds, or the target's backlog is full. */
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("load: connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0)
        die("load: epoll_ctl");
    c->phase = FREE;
}

static void watch(struct conn *c, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void put_request(struct conn *c) {
    ssize_t written = write(c->fd, request + c->sent, request_size - c->sent);
    if (written > 0)
        c->sent += (size_t)written;     /* an error shows at the next read */
    if (c->sent < request_size)
        watch(c, EPOLLIN | EPOLLOUT);
}

static void send_request(struct conn *c, int64_t due) {
    c->phase = WAITING;
    c->due = due;
    c->sent = c->head_used = 0;
    c->chunks = 0;
    c->clock_left = 0;
    put_request(c);
}

/* Sends what has fallen due on the connections that are free. */
static void send_due(int64_t time) {
    while (free_count > 0 && time < stop_at) {
        int64_t due = start + (int64_t)(issued * (uint64_t)SECOND / options.rate);
        if (due > time)
            return;
        issued++;
        send_request(free_conns[--free_count], due);
    }
}

static void make_free(struct conn *c, int64_t time) {
    c->phase = FREE;
    if (options.mode == OPEN)
        free_conns[free_count++] = c;
    else if (time < stop_at)
        send_request(c, time);
}

static void fail(struct conn *c, const char *why, int64_t time) {
    const bool was_free = c->phase == FREE;
    if (failed++ == 0)
        first_failure = why;
    close(c->fd);
    c->phase = UNUSED;
    if (failed >= MAX_FAILED)
        return;
    connect_to_target(c);
    if (!was_free)              /* else it stands among the free ones already */
        make_free(c, time);
}

/* -- replies ----------------------------------------------------------------------------- */

static void reply_is_whole(struct conn *c, int64_t time) {
    if (options.mode == STREAM && c->chunks != options.chunks) {
        fail(c, "a stream ended with chunks missing", time);
        return;
    }
    if (time < stop_at)
        requests++;
    else
        late++;
    sample(&latency, time - c->due);
    make_free(c, time);
}

static int hex_value(char digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Reads on in a clock; a proxy that cuts the clock in two by its own framing spoils one
 * sample, no more. */
static const char *read_clock(struct conn *c, const char *at, const char *end, int64_t time) {
    for (; at < end && c->clock_left > 0; at++) {
        int value = hex_value(*at);
        if (value < 0) {
            c->clock_left = 0;
            return at;
        }
        c->clock = c->clock << 4 | value;
        if (--c->clock_left == 0)
            sample(&on_the_way, time - c->clock);
    }
    return at;
}

static void count_chunks(struct conn *c, const char *data, size_t size, int64_t time) {
    const char *end = data + size;
    const char *at = read_clock(c, data, end, time);
    while ((at = memchr(at, CLOCK_MARK, (size_t)(end - at)))) {
        if (c->chunks++ == 0)
            sample(&first_chunk, time - c->due);
        chunks++;
        c->clock = 0;
        c->clock_left = CLOCK_DIGITS;
        at = read_clock(c, at + 1, end, time);
    }
}

static void remember_end(struct conn *c, const char *data, size_t size) {
    if (size >= END_SIZE) {
        memcpy(c->end, data + size - END_SIZE, END_SIZE);
        return;
    }
    memmove(c->end, c->end + size, END_SIZE - size);
    memcpy(c->end + END_SIZE - size, data, size);
}

static void take_body(struct conn *c, const char *data, size_t size, int64_t time) {
    if (!c->chunked) {
        if (size > c->body_left) {
            fail(c, "more bytes than the head promised", time);
            return;
        }
        c->body_left -= size;
        if (c->body_left == 0)
            reply_is_whole(c, time);
        return;
    }
    count_chunks(c, data, size, time);
    remember_end(c, data, size);
    if (memcmp(c->end, STREAM_END, END_SIZE) == 0)
        reply_is_whole(c, time);
}

/* Reads the head's fields that matter here; returns what is wrong with it, or NULL. */
static const char *understand(struct conn *c) {
    const char *length = strcasestr(c->head, "\r\ncontent-length:");
    c->chunked = strcasestr(c->head, "\r\ntransfer-encoding: chunked") != NULL;
    if (strncmp(c->head, "HTTP/1.1 200", 12) != 0)
        return "a status other than 200";
    if (!c->chunked && !length)
        return "a reply without framing";
    c->body_left = length ? strtoul(length + strlen("\r\ncontent-length:"), NULL, 10) : 0;
    if (reply_size == 0)
        reply_size = c->body_left;
    if (!c->chunked && c->body_left != reply_size)
        return "a reply of another length than the first";
    memset(c->end, 0, END_SIZE);
    return NULL;
}

static void take_head(struct conn *c, const char *data, size_t size, int64_t time) {
    size_t room = HEAD_MAX - c->head_used, copied = size < room ? size : room;
    size_t before = c->head_used;
    memcpy(c->head + before, data, copied);
    c->head_used += copied;
    c->head[c->head_used] = '\0';
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) {
        if (copied < size)
            fail(c, "a head too long", time);
        return;
    }
    size_t head_bytes = (size_t)(end + 4 - c->head) - before;
    end[2] = '\0';
    const char *wrong = understand(c);
    if (wrong) {
        fail(c, wrong, time);
        return;
    }
    c->phase = READING;
    if (head_bytes < size || (!c->chunked && c->body_left == 0))
        take_body(c, data + head_bytes, size - head_bytes, time);
}

static void readable(struct conn *c) {
    static char buffer[READ_MAX];
    ssize_t size = read(c->fd, buffer, sizeof buffer);
    const int64_t time = now();
    if (size < 0 && errno == EAGAIN)
        return;
    if (size <= 0)
        fail(c, "the connection was closed", time);
    else if (c->phase == READING)
        take_body(c, buffer, (size_t)size, time);
    else if (c->phase == WAITING)
        take_head(c, buffer, (size_t)size, time);
    else
        fail(c, "bytes that nobody asked for", time);
}

static void writable(struct conn *c) {
    put_request(c);
    if (c->sent == request_size)
        watch(c, EPOLLIN);
}

/* -- the run ----------------------------------------------------------------------------- */

static int64_t opens_at(uint32_t index) {
    return start + (int64_t)(options.ramp * 1e9 * index / options.connections);
}

static void open_due(int64_t time) {
    while (opened < options.connections && opens_at(opened) <= time) {
        struct conn *c = &conns[opened++];
        connect_to_target(c);
        make_free(c, now());
    }
}

static int64_t cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static void begin_measuring(void) {
    puts("measuring");
    fflush(stdout);
    requests = chunks = 0;
    measuring = true;
}

static uint32_t busy(void) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < opened; i++)
        count += conns[i].phase == READING;
    return count;
}

static bool awaited(void) {
    for (uint32_t i = 0; i < opened; i++)
        if (conns[i].phase == WAITING || conns[i].phase == READING)
            return true;
    return false;
}

static int64_t sooner(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t next_wakeup(void) {
    int64_t due = measuring ? stop_at : measure_from;
    if (opened < options.connections)
        due = sooner(due, opens_at(opened));
    if (options.mode == OPEN && free_count > 0)
        due = sooner(due, start + (int64_t)(issued * (uint64_t)SECOND / options.rate));
    return due;
}

static void arm(int timer, int64_t due) {
    struct itimerspec spec = {.it_value = {.tv_sec = due / SECOND, .tv_nsec = due % SECOND}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void handle_events(int timer) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll_fd, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
        struct conn *c = events[i].data.ptr;
        uint64_t expirations;
        if (!c) {
            (void)!read(timer, &expirations, sizeof expirations);
            continue;
        }
        if (events[i].events & EPOLLOUT)
            writable(c);
        if (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
            readable(c);
    }
}

/* Waits for the replies that are still under way. */
static void drain(int timer) {
    const int64_t deadline = now() + DRAIN_SECONDS * SECOND;
    arm(timer, deadline);
    while (awaited() && failed < MAX_FAILED && now() < deadline)
        handle_events(timer);
}

static int make_timer(void) {
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer, &event);
    return timer;
}

static void run(void) {
    int timer = make_timer();
    int64_t cpu_from = 0, armed = 0;
    start = now();
    measure_from = start + (int64_t)((options.ramp + options.warm) * 1e9);
    stop_at = measure_from + (int64_t)(options.seconds * 1e9);
    for (int64_t time = start; time < stop_at && failed < MAX_FAILED; time = now()) {
        open_due(time);
        if (options.mode == OPEN)
            send_due(time);
        if (!measuring && time >= measure_from) {
            begin_measuring();
            measure_from = time;
            cpu_from = cpu_ns();
        }
        int64_t due = next_wakeup();
        if (due != armed)
            arm(timer, armed = due);
        handle_events(timer);
    }
    double seconds = (double)(now() - measure_from) / 1e9;
    uint32_t open = busy();
    if (options.mode != STREAM)
        drain(timer);
    printf("{\"seconds\": %.4f, \"requests\": %lu, \"late\": %lu, \"chunks\": %lu, \"failed\": %lu, "
           "\"first_failure\": \"%s\", \"open\": %u, \"cpu_us\": %.0f",
           seconds, requests, late, chunks, failed, first_failure, open,
           (double)(cpu_ns() - cpu_from) / 1e3);
    print_samples("latency", &latency);
    print_samples("ttft", &first_chunk);
    print_samples("chunk", &on_the_way);
    puts("}");
}

static void allocate(void) {
    conns = calloc(options.connections, sizeof *conns);
    free_conns = calloc(options.connections, sizeof *free_conns);
    struct samples *all[] = {&latency, &first_chunk, &on_the_way};
    for (int i = 0; i < 3; i++)
        if (!(all[i]->values = malloc(SAMPLES_MAX * sizeof(uint32_t))))
            die("malloc");
    if (!conns || !free_conns)
        die("calloc");
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    read_options(argc, argv);
    alarm(2 * SECONDS_MAX);     /* a target that hangs does not keep this program */
    allocate();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    run();
    return failed ? 1 : 0;
}
