/* A disk that fails on demand, as a library to preload (Linux, glibc).
 *
 * FAULTY_FILES is how the paths begin that are concerned. FAULTY_ORDERS is the path of a file that
 * says, while it is there, what fails and how: letters and an errno, as in "ws 5".
 *     w  writes    s  syncs    r  reads    t  writes, but for the first half of what they were given
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

static int is_concerned(int fd) {
    const char *files = getenv("FAULTY_FILES");
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    return files && length >= (ssize_t)strlen(files) && !strncmp(path, files, strlen(files));
}

/* Return the errno that a call is to fail with, 0 for none. */
static int ordered(int fd, char call) {
    const char *orders = getenv("FAULTY_ORDERS");
    char calls[16] = "";
    int number = 0;
    FILE *file = orders ? fopen(orders, "re") : NULL;
    if (!file)
        return 0;
    int read = fscanf(file, "%15s %d", calls, &number);
    fclose(file);
    return read == 2 && strchr(calls, call) && is_concerned(fd) ? number : 0;
}

static int fails(int fd, char call) {
    int saved = errno, number = ordered(fd, call);
    errno = number ? number : saved;
    return number != 0;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    if (fails(fd, 'w') || (size < 2 && fails(fd, 't')))
        return -1;
    size_t part = fails(fd, 't') ? size / 2 : size;
    return REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(fd, data, part, at);
}

ssize_t pread64(int fd, void *data, size_t size, off64_t at) {
    return fails(fd, 'r') ? -1 : REAL(ssize_t, pread64, int, void *, size_t, off64_t)(fd, data, size, at);
}

int ftruncate64(int fd, off64_t size) {
    return fails(fd, 'w') ? -1 : REAL(int, ftruncate64, int, off64_t)(fd, size);
}

int fsync(int fd) {
    return fails(fd, 's') ? -1 : REAL(int, fsync, int)(fd);
}

int fdatasync(int fd) {
    return fails(fd, 's') ? -1 : REAL(int, fdatasync, int)(fd);
}
