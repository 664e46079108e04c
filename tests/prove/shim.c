/* What a process does to a database and tells its callers, as it happens; and faults, on order.
 *
 * Preloaded (LD_PRELOAD) into a gateway. Environment:
 *   TASKFLOW_SHIM_DATABASE  the database; its -wal and -journal and its folder are watched as well
 *   TASKFLOW_SHIM_LOG       append one record for each call (see below)
 *   TASKFLOW_SHIM_FAULTS    a file of one `struct faults`, shared with whoever orders them
 *
 * A record is `struct record` and then `size` bytes: of a write its data, of a send the first bytes
 * that a caller is sent. A sync has two records, as it covers what was written before it began and
 * promises that only when it has ended; all other calls are recorded before they are made.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NONE, DATABASE, WAL, JOURNAL, FOLDER, FILES };
enum { MOST_DESCRIPTORS = 65536, MOST_SENT = 1024, MOST_PATH = 4096 };

struct record {
    char kind; /* C create, W write, T truncate, B sync begins, E sync ended, U unlink, S send */
    char file;
    char unused[2];
    uint32_t size;
    int64_t place; /* W: offset, T: length, B and E: the number of the sync */
};

struct faults {
    volatile int32_t after;   /* calls that still succeed; negative: no faults */
    volatile int32_t times;   /* calls that then fail */
    volatile int32_t error;   /* with this errno */
    volatile int32_t writes;  /* whether writes and truncations are counted */
    volatile int32_t syncs;   /* whether syncs are counted */
    volatile int32_t failed;  /* how many failed, ever */
};

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char paths[FILES][MOST_PATH];
static unsigned char file_of[MOST_DESCRIPTORS];
static struct faults *faults;
static int log_fd = -1;
static int64_t syncs;

#define REAL(type, name, ...)                                                                      \
    static type (*real)(__VA_ARGS__);                                                              \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static int real_open(const char *path, int flags, mode_t mode) {
    REAL(int, "open64", const char *, int, ...);
    return real(path, flags, mode);
}

__attribute__((constructor)) static void begin(void) {
    const char *database = getenv("TASKFLOW_SHIM_DATABASE");
    const char *log = getenv("TASKFLOW_SHIM_LOG");
    const char *ordered = getenv("TASKFLOW_SHIM_FAULTS");
    if (!database || strlen(database) + 16 > MOST_PATH) return;
    strcpy(paths[DATABASE], database);
    strcat(strcpy(paths[WAL], database), "-wal");
    strcat(strcpy(paths[JOURNAL], database), "-journal");
    strcpy(paths[FOLDER], database);
    *strrchr(paths[FOLDER], '/') = '\0';
    if (log) log_fd = real_open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (ordered) {
        int fd = real_open(ordered, O_RDWR | O_CLOEXEC, 0);
        void *page = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (page != MAP_FAILED) faults = page;
        close(fd);
    }
}

static int watched(int fd) {
    return fd >= 0 && fd < MOST_DESCRIPTORS ? file_of[fd] : NONE;
}

static int named(const char *path) {
    for (int file = DATABASE; file < FILES; file++)
        if (paths[file][0] && !strcmp(path, paths[file])) return file;
    return NONE;
}

static void record(char kind, int file, int64_t place, const void *data, size_t size) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    if (log_fd < 0) return;
    struct record head = {kind, (char)file, {0}, (uint32_t)size, place};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)data, size}};
    pthread_mutex_lock(&turn);
    ssize_t written = real(log_fd, parts, 2);
    pthread_mutex_unlock(&turn);
    if (written != (ssize_t)(sizeof head + size)) abort();
}

/* Say whether a call is to fail, with errno set. */
static int fails(int file, int sync) {
    if (!faults || file == NONE || !(sync ? faults->syncs : faults->writes)) return 0;
    if (faults->after < 0) return 0;
    if (__sync_fetch_and_sub(&faults->after, 1) > 0) return 0;
    faults->after = 0;
    if (__sync_fetch_and_sub(&faults->times, 1) <= 0) {
        faults->after = -1;
        return 0;
    }
    __sync_fetch_and_add(&faults->failed, 1);
    errno = faults->error;
    return 1;
}

static int opened(int fd, const char *path, int flags, int is_new) {
    int file = fd < 0 ? NONE : named(path);
    if (fd >= 0 && fd < MOST_DESCRIPTORS) file_of[fd] = (unsigned char)file;
    if (file != NONE && (flags & O_CREAT) && is_new) record('C', file, 0, NULL, 0);
    return fd;
}

static int open_at(int folder, const char *path, int flags, mode_t mode) {
    REAL(int, "openat64", int, const char *, int, ...);
    int saved = errno;
    int is_new = (flags & O_CREAT) && named(path) != NONE && access(path, F_OK);
    errno = saved;
    return opened(real(folder, path, flags, mode), path, flags, is_new);
}

#define MODE(flags)                                                                                \
    mode_t mode = 0;                                                                               \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                           \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode = va_arg(more, mode_t);                                                               \
        va_end(more);                                                                              \
    }

int open(const char *path, int flags, ...) {
    MODE(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    MODE(flags)
    return open_at(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags)
    return open_at(folder, path, flags, mode);
}

int close(int fd) {
    REAL(int, "close", int);
    if (fd >= 0 && fd < MOST_DESCRIPTORS) file_of[fd] = NONE;
    return real(fd);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    int file = watched(fd);
    if (fails(file, 0)) return -1;
    if (file != NONE) record('W', file, offset, data, size);
    return real(fd, data, size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    return pwrite64(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    int file = watched(fd);
    if (fails(file, 0)) return -1;
    if (file != NONE) record('W', file, lseek(fd, 0, SEEK_CUR), data, size);
    return real(fd, data, size);
}

int ftruncate64(int fd, off64_t length) {
    REAL(int, "ftruncate64", int, off64_t);
    int file = watched(fd);
    if (fails(file, 0)) return -1;
    if (file != NONE) record('T', file, length, NULL, 0);
    return real(fd, length);
}

int ftruncate(int fd, off_t length) {
    return ftruncate64(fd, length);
}

static int sync_by(int (*real)(int), int fd) {
    int file = watched(fd);
    if (fails(file, 1)) return -1;
    if (file == NONE) return real(fd);
    int64_t number = __sync_add_and_fetch(&syncs, 1);
    record('B', file, number, NULL, 0);
    int outcome = real(fd);
    if (!outcome) record('E', file, number, NULL, 0);
    return outcome;
}

int fsync(int fd) {
    REAL(int, "fsync", int);
    return sync_by(real, fd);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    return sync_by(real, fd);
}

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    int file = named(path);
    if (file != NONE && !access(path, F_OK)) record('U', file, 0, NULL, 0);
    return real(path);
}

ssize_t send(int fd, const void *data, size_t size, int flags) {
    REAL(ssize_t, "send", int, const void *, size_t, int);
    record('S', NONE, 0, data, size < MOST_SENT ? size : MOST_SENT);
    return real(fd, data, size, flags);
}
