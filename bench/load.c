/* A light load generator: keep-alive connections in one thread, one request in flight on each.

   load HOST PORT PATH SECRET MILLISECONDS REQUESTS < SCRIPTS

   It ends after so many milliseconds or requests, whichever comes first. Each line of SCRIPTS is
   "CONNECTION REVISION BODY"; a connection sends its bodies in turn, over and over. "{revision}"
   in a body stands for REVISION plus the number of answers so far, so that a flow can be changed
   without its answers being read. Every hundred requests come from another client, so that no
   limit on a client's rate interferes (one request each would fill the servers' tables of clients,
   and show what those cost); every connection comes from another address of the loopback, so that
   no limit on a peer's requests in flight does.

   Prints the requests, the seconds, the median and the 99th percentile in milliseconds, and the
   seconds of processor time that this program itself took. Any answer but a 200 ends it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#ifndef PER_CLIENT
#define PER_CLIENT 100
#endif
enum { CONNECTIONS = 64, HEAD = 8192, ROOM = 1 << 18 };
static const char HOLE[] = "{revision}";

struct script {
    char **bodies;
    long count, revision;
};

struct connection {
    int fd;
    long answers, due; /* bytes of the answer's body that are still to come; -1 in its head */
    size_t got;
    double sent_at;
    char head[HEAD + 1];
};

static struct script scripts[CONNECTIONS];
static struct connection connections[CONNECTIONS];
static const char *path, *secret;
static long sent, done, most;
static double *took;
static size_t room;

static void fail(const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    vfprintf(stderr, format, rest);
    va_end(rest);
    exit(1);
}

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static int read_scripts(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    int count = 0;
    while ((length = getline(&line, &size, stdin)) > 0) {
        char *rest;
        long number = strtol(line, &rest, 10), revision = strtol(rest, &rest, 10);
        if (number < 0 || number >= CONNECTIONS)
            fail("no such connection: %ld", number);
        struct script *script = &scripts[number];
        script->revision = revision;
        script->bodies = realloc(script->bodies, (script->count + 1) * sizeof *script->bodies);
        line[length - 1] = 0;
        script->bodies[script->count++] = strdup(rest + 1);
        count = number >= count ? number + 1 : count;
    }
    return count;
}

static void send_next(struct connection *it)
{
    static char body[ROOM], request[ROOM + 1024];
    struct script *script = &scripts[it - connections];
    const char *text = script->bodies[it->answers % script->count], *hole = strstr(text, HOLE);
    int length = hole ? snprintf(body, sizeof body, "%.*s%ld%s", (int)(hole - text), text,
                                 script->revision + it->answers, hole + strlen(HOLE))
                      : snprintf(body, sizeof body, "%s", text);
    long client = (getpid() * 7919L + sent++ / PER_CLIENT) & 0xffffff;
    int whole = snprintf(request, sizeof request,
                         "POST %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"
                         "Content-Type: application/json\r\nX-Forwarded-For: 10.%ld.%ld.%ld\r\n"
                         "Content-Length: %d\r\n\r\n%s",
                         path, secret, client >> 16, client >> 8 & 255, client & 255, length, body);
    it->due = -1;
    it->got = 0;
    it->sent_at = now();
    if (length >= (int)sizeof body || send(it->fd, request, whole, MSG_NOSIGNAL) != whole)
        fail("a request could not be sent: %s", strerror(errno));
}

/* Takes in what has come; returns whether the answer is complete. */
static int receive(struct connection *it)
{
    static char rest[ROOM];
    int in_head = it->due < 0;
    ssize_t got = in_head ? recv(it->fd, it->head + it->got, HEAD - it->got, 0)
                          : recv(it->fd, rest, sizeof rest, 0);
    if (got <= 0)
        fail("the connection was closed");
    if (!in_head)
        return (it->due -= got) == 0;
    it->got += got;
    it->head[it->got] = 0;
    char *end = strstr(it->head, "\r\n\r\n"), *length = strcasestr(it->head, "\r\ncontent-length:");
    if (!end)
        return 0;
    if (strncmp(it->head + 8, " 200 ", 5) || !length || length > end)
        fail("%.*s", 600, it->head);
    it->due = atol(length + 17) - (long)(it->got - (end + 4 - it->head));
    return it->due == 0;
}

static void keep(double seconds)
{
    if ((size_t)done == room)
        took = realloc(took, (room = room ? 2 * room : 1 << 16) * sizeof *took);
    took[done++] = seconds;
}

static int by_size(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    if (argc != 7)
        fail("usage: load HOST PORT PATH SECRET MILLISECONDS REQUESTS");
    path = argv[3];
    secret = argv[4];
    most = atol(argv[6]);
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    inet_pton(AF_INET, argv[1], &place.sin_addr);
    int count = read_scripts(), open = 0, polled = epoll_create1(0), yes = 1;
    for (; open < count; open++) {
        struct connection *it = &connections[open];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = it};
        it->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(it->fd, (struct sockaddr *)&place, sizeof place))
            fail("no connection: %s", strerror(errno));
        setsockopt(it->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        epoll_ctl(polled, EPOLL_CTL_ADD, it->fd, &event);
    }
    double start = now(), last = start, end = start + atol(argv[5]) / 1e3;
    for (int i = 0; i < count; i++)
        send_next(&connections[i]);
    while (open) {
        struct epoll_event events[CONNECTIONS];
        int ready = epoll_wait(polled, events, CONNECTIONS, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *it = events[i].data.ptr;
            if (!receive(it))
                continue;
            last = now();
            keep(last - it->sent_at);
            it->answers++;
            if (last < end && sent < most) {
                send_next(it);
            } else {
                close(it->fd);
                open--;
            }
        }
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    qsort(took, done, sizeof *took, by_size);
    printf("%ld %.6f %.3f %.3f %.6f\n", done, last - start, took[done / 2] * 1e3,
           took[done * 99 / 100] * 1e3,
           usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
               (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    return 0;
}
