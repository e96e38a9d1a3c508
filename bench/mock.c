/* A mock OpenAI upstream on 127.0.0.1: one thread, one epoll, nothing allocated a request.
 *
 * usage: mock PORT
 *
 * It must cost far less than what it stands behind, so it knows only what the benchmark
 * sends: HTTP/1.1 requests with a content-length. The header `x-mock: KIND CHUNKS` asks for
 * a stream; without it comes one chat reply of about 0.6 KB. The kinds:
 *
 *   stream  a chunk every 40 ms, as a busy model gives them
 *   slow    a chunk a second, for thousands of streams at once
 *   burst   chunk after chunk, as fast as the reader takes them
 *   idle    one chunk, then silence until the reader leaves
 *
 * Every chunk is one SSE event of 250 bytes and carries the clock at which it was written (see
 * wire.h), so a reader on the same machine learns how long it was on its way.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

enum { HEAD_MAX = 4096, READ_MAX = 64 * 1024, OUT_MAX = 2048, EVENTS = 256, EVENT_BYTES = 250 };

struct conn {
    int fd;
    bool wants_usage;
    struct pace *asked;     /* by the request that is being read */
    struct pace *pace;      /* of the stream that runs, in whose list this stands; or NULL */
    struct conn *prev, *next;
    int64_t due;            /* of the next chunk */
    uint32_t chunks_left;
    size_t body_left;       /* of the request, still to be read */
    size_t head_used;
    size_t unsent;          /* what the socket did not take, at the start of `out` */
    char out[OUT_MAX];
    char head[HEAD_MAX + 1];
};

/* Connections whose chunks have the same gap fall due in the order in which they were queued:
 * a list is all the timer that is needed. */
struct pace {
    const char *kind;
    int64_t gap;            /* ns; 0: no gap; negative: never another chunk */
    struct conn *first, *last;
};

static struct pace paces[] = {
    {.kind = "stream", .gap = 40 * 1000000},
    {.kind = "slow", .gap = 1000000000},
    {.kind = "burst", .gap = 0},
    {.kind = "idle", .gap = -1},
};
enum { PACES = sizeof paces / sizeof paces[0] };

static int epoll_fd;
static char whole_reply[OUT_MAX];
static size_t whole_reply_size;
static char chunk[512];
static size_t chunk_size;
static char *chunk_clock;   /* where in `chunk` the 16 digits stand */
static char *chunk_words;   /* where in it the words stand, */
static size_t words_size;   /* and how many bytes they have */

/* What a stream says, a chunk's words after the other's: a reply that goes on saying one thing
 * would be a model's failure, and whoever looks for such failures would be measured at that. */
static const char WORDS[] =
    "You can change the delivery address as long as the parcel has not left our warehouse. "
    "Open the order, choose the address that you want, and confirm; a message follows within a few "
    "minutes. If it is on its way already, the carrier may still hold it at a shop nearby: look "
    "for the tracking number in the mail of the day on which it was sent, and ask for a change "
    "there. Parcels that nobody takes in come back to us after ten days, and what was paid is "
    "returned to the same card. For orders from abroad there is one more thing to know. Customs "
    "keep the address that was declared first, so a new one needs a new declaration, which takes "
    "us two working days. Would you like me to begin with that, or rather wait until the first "
    "attempt at delivery is over? In either case nothing more is to be paid, and the guarantee "
    "runs from the day when the goods reach you. Should anything be broken or missing then, please "
    "take a picture before the box is thrown away. Our colleagues at the service desk answer on "
    "weekdays between eight and six; at other times they find your note in the morning.";

static const char STREAM_HEAD[] =
    "HTTP/1.1 200 OK\r\nserver: mock\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    "cache-control: no-cache\r\nx-request-id: req_0123456789abcdef\r\n"
    "transfer-encoding: chunked\r\n\r\n";

static const char *LAST_EVENTS[] = {
    "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1763800000,"
    "\"model\":\"bench-model\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}"
    "\n\n",
    "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1763800000,"
    "\"model\":\"bench-model\",\"choices\":[],\"usage\":{\"prompt_tokens\":310,"
    "\"completion_tokens\":100,\"total_tokens\":410}}\n\n",
    "data: [DONE]\n\n",
};

/* -- the replies, made once -------------------------------------------------------------- */

static void build_whole_reply(void) {
    static const char body[] =
        "{\"id\":\"chatcmpl-0123456789abcdefghijklmn\",\"object\":\"chat.completion\","
        "\"created\":1763800000,\"model\":\"bench-model\",\"choices\":[{\"index\":0,\"message\":{"
        "\"role\":\"assistant\",\"content\":\"You can change the delivery address as long as the "
        "parcel has not left our warehouse. Open the order, choose the address that you want, and "
        "confirm; you will get a message within a few minutes. If the parcel is already on its "
        "way, the carrier can still hold it for you.\",\"refusal\":null,\"annotations\":[]},"
        "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":310,"
        "\"completion_tokens\":58,\"total_tokens\":368},\"service_tier\":\"default\","
        "\"system_fingerprint\":\"fp_bench\"}";
    whole_reply_size = (size_t)snprintf(
        whole_reply, sizeof whole_reply,
        "HTTP/1.1 200 OK\r\nserver: mock\r\ncontent-type: application/json\r\n"
        "x-request-id: req_0123456789abcdef\r\ncontent-length: %zu\r\n\r\n%s",
        sizeof body - 1, body);
}

static void build_chunk(void) {
    static const char head[] =
        "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\","
        "\"created\":1763800000,\"model\":\"bench-model\",\"system_fingerprint\":"
        "\"@0123456789abcdef\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"";
    static const char tail[] = "\"},\"finish_reason\":null}]}\n\n";
    const int padding = EVENT_BYTES - (int)(sizeof head - 1) - (int)(sizeof tail - 1);
    if (padding < 1) {
        fputs("mock: the event's frame leaves no room for words\n", stderr);
        exit(1);
    }
    words_size = (size_t)padding;
    chunk_size = (size_t)snprintf(chunk, sizeof chunk, "%x\r\n%s%.*s%s\r\n", EVENT_BYTES, head,
                                  padding, WORDS, tail);
    chunk_clock = strchr(chunk, CLOCK_MARK) + 1;
    chunk_words = strstr(chunk, "\"content\":\"") + strlen("\"content\":\"");
}

/* Make `chunk` the one that is sent at `time` to whoever is to get `left` more. */
static void stamp_chunk(int64_t time, uint32_t left) {
    const size_t pieces = (sizeof WORDS - 1) / words_size;
    memcpy(chunk_words, WORDS + (pieces - 1 - left % pieces) * words_size, words_size);
    static const char digits[] = "0123456789abcdef";
    for (int i = CLOCK_DIGITS - 1; i >= 0; i--, time >>= 4)
        chunk_clock[i] = digits[time & 15];
}

/* -- writing ----------------------------------------------------------------------------- */

static void watch(struct conn *c, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static bool bursting(const struct conn *c) { return c->pace && c->pace->gap == 0; }

/* Writes, and keeps what the socket did not take. False: the peer has gone. */
static bool put(struct conn *c, const char *data, size_t size) {
    ssize_t written = write(c->fd, data, size);
    if (written < 0 && errno != EAGAIN)
        return false;
    size_t done = written < 0 ? 0 : (size_t)written;
    if (done == size)
        return true;
    c->unsent = size - done;
    memmove(c->out, data + done, c->unsent);
    watch(c, EPOLLIN | EPOLLOUT);
    return true;
}

static void enqueue(struct conn *c) {
    struct pace *p = c->pace;
    c->next = NULL;
    c->prev = p->last;
    *(p->last ? &p->last->next : &p->first) = c;
    p->last = c;
}

static void dequeue(struct conn *c) {
    struct pace *p = c->pace;
    *(c->prev ? &c->prev->next : &p->first) = c->next;
    *(c->next ? &c->next->prev : &p->last) = c->prev;
}

static void hang_up(struct conn *c) {
    if (c->pace)
        dequeue(c);
    close(c->fd);
    free(c);
}

static size_t append_chunk(char *to, const char *event) {
    return (size_t)sprintf(to, "%zx\r\n%s\r\n", strlen(event), event);
}

static bool end_stream(struct conn *c) {
    char out[OUT_MAX];
    size_t size = append_chunk(out, LAST_EVENTS[0]);
    if (c->wants_usage)
        size += append_chunk(out + size, LAST_EVENTS[1]);
    size += append_chunk(out + size, LAST_EVENTS[2]);
    size += (size_t)sprintf(out + size, "0\r\n\r\n");
    bool was_bursting = bursting(c);
    dequeue(c);
    c->pace = NULL;
    if (was_bursting)
        watch(c, EPOLLIN);
    return put(c, out, size);
}

/* The next chunk, or the end. False: the peer has gone. */
static bool step(struct conn *c, int64_t time) {
    if (c->unsent) {        /* a reader that lags: the chunk waits another gap */
        c->due = time + c->pace->gap;
        return true;
    }
    if (c->chunks_left == 0)
        return end_stream(c);
    c->chunks_left--;
    c->due += c->pace->gap;
    stamp_chunk(time, c->chunks_left);
    return put(c, chunk, chunk_size);
}

static bool start_stream(struct conn *c) {
    char out[sizeof STREAM_HEAD + sizeof chunk];
    const int64_t time = now();
    stamp_chunk(time, c->chunks_left);
    memcpy(out, STREAM_HEAD, sizeof STREAM_HEAD - 1);
    memcpy(out + sizeof STREAM_HEAD - 1, chunk, chunk_size);
    c->chunks_left--;
    c->pace = c->asked;
    c->due = time + c->pace->gap;
    enqueue(c);
    if (bursting(c))
        watch(c, EPOLLIN | EPOLLOUT);
    return put(c, out, sizeof STREAM_HEAD - 1 + chunk_size);
}

/* -- reading ----------------------------------------------------------------------------- */

static bool answer(struct conn *c) {
    return c->asked ? start_stream(c) : put(c, whole_reply, whole_reply_size);
}

static void choose_pace(struct conn *c, const char *wish) {
    char kind[16];
    unsigned chunks;
    if (sscanf(wish, " %15s %u", kind, &chunks) != 2 || chunks == 0)
        return;
    for (int i = 0; i < PACES; i++)
        if (strcmp(kind, paces[i].kind) == 0)
            c->asked = &paces[i];
    c->chunks_left = chunks;
}

/* Reads the head's fields that matter here. False: not a request this mock can frame. */
static bool understand(struct conn *c) {
    const char *length = strcasestr(c->head, "\r\ncontent-length:");
    const char *wish = strcasestr(c->head, "\r\nx-mock:");
    if (!length)
        return false;
    c->body_left = strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
    c->wants_usage = false;
    c->asked = NULL;
    if (wish)
        choose_pace(c, wish + strlen("\r\nx-mock:"));
    return true;
}

static bool take_body(struct conn *c, const char *data, size_t size) {
    /* A member cut in two by reads would be missed; the bodies of streams come whole. */
    if (c->asked && memmem(data, size, "include_usage", strlen("include_usage")))
        c->wants_usage = true;
    c->body_left -= size < c->body_left ? size : c->body_left;
    if (c->body_left)
        return true;
    c->head_used = 0;
    return answer(c);
}

/* Takes what one read brought. False: hang up. */
static bool take(struct conn *c, const char *data, size_t size) {
    if (c->body_left)
        return take_body(c, data, size);
    if (c->pace)            /* a request while its predecessor is answered: not from our clients */
        return false;
    size_t room = HEAD_MAX - c->head_used, copied = size < room ? size : room;
    size_t before = c->head_used;
    memcpy(c->head + before, data, copied);
    c->head_used += copied;
    c->head[c->head_used] = '\0';
    const char *end = strstr(c->head, "\r\n\r\n");
    if (!end)
        return copied == size;
    size_t head_bytes = (size_t)(end + 4 - c->head) - before;
    c->head[end + 2 - c->head] = '\0';
    if (!understand(c))
        return false;
    return take_body(c, data + head_bytes, size - head_bytes);
}

static bool readable(struct conn *c) {
    static char buffer[READ_MAX];
    ssize_t size = read(c->fd, buffer, sizeof buffer);
    if (size < 0)
        return errno == EAGAIN;
    return size > 0 && take(c, buffer, (size_t)size);
}

static bool writable(struct conn *c) {
    if (c->unsent) {
        size_t size = c->unsent;
        c->unsent = 0;
        if (!put(c, c->out, size))
            return false;
        if (!c->unsent && !bursting(c))
            watch(c, EPOLLIN);
        return true;
    }
    return bursting(c) ? step(c, now()) : true;
}

/* -- the loop ---------------------------------------------------------------------------- */

static void accept_all(int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct conn *c = calloc(1, sizeof *c);
        if (!c)
            die("calloc");
        c->fd = fd;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
            die("epoll_ctl");
    }
}

static void serve(struct conn *c, uint32_t events) {
    bool alive = !(events & EPOLLERR);
    if (alive && (events & (EPOLLIN | EPOLLHUP)))
        alive = readable(c);
    if (alive && (events & EPOLLOUT))
        alive = writable(c);
    if (!alive)
        hang_up(c);
}

/* Writes every chunk that has fallen due, once around each list at most. */
static void run_due(struct pace *p, int64_t time) {
    struct conn *last = p->last;
    for (struct conn *c = p->first, *following; c && c->due <= time; c = following) {
        following = c == last ? NULL : c->next;
        dequeue(c);
        enqueue(c);
        if (!step(c, time))
            hang_up(c);
    }
}

static int64_t next_due(void) {
    int64_t due = INT64_MAX;
    for (int i = 0; i < PACES; i++)
        if (paces[i].gap > 0 && paces[i].first && paces[i].first->due < due)
            due = paces[i].first->due;
    return due;
}

/* epoll's own time-out counts in whole ms, which would bunch the chunks: hence a timerfd. */
static void arm(int timer, int64_t due) {
    static int64_t armed = INT64_MAX;
    if (due == armed)
        return;
    armed = due;
    struct itimerspec spec = {0};
    if (due != INT64_MAX)
        spec.it_value = (struct timespec){.tv_sec = due / SECOND, .tv_nsec = due % SECOND};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static int listen_on(uint16_t port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("mock: bind");
    if (listen(fd, 4096) < 0)
        die("mock: listen");
    return fd;
}

int main(int argc, char **argv) {
    const int port = argc == 2 ? atoi(argv[1]) : 0;
    if (port < 1 || port > 65535) {
        fputs("usage: mock PORT\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);   /* a benchmark that is killed leaves no mock behind */
    signal(SIGPIPE, SIG_IGN);
    build_whole_reply();
    build_chunk();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    int listener = listen_on((uint16_t)port);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
    event.data.ptr = &timer;
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer, &event);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            void *who = events[i].data.ptr;
            uint64_t expirations;
            if (who == &listener)
                accept_all(listener);
            else if (who == &timer)
                (void)!read(timer, &expirations, sizeof expirations);
            else
                serve(who, events[i].events);
        }
        const int64_t time = now();
        for (int i = 0; i < PACES; i++)
            if (paces[i].gap > 0)
                run_due(&paces[i], time);
        arm(timer, next_due());
    }
}
