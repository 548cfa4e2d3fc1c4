/* Records each change of a SQLite database and of its log that the system was asked for. A record is four numbers (kind,
 * file, offset, length) and the bytes. It is appended by one call, after the change itself, to the file $RECORDING, so
 * that a change counts as made durable only by a flush that was recorded after it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE, TRUNCATE, FLUSH };

static int recording = -1;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("RECORDING");
    if (path) recording = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int ends_with(const char *name, const char *end) {
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && !strcmp(name + length - tail, end);
}

/* 0 is the database, 1 its log, and -1 another file. */
static int number_of(int file) {
    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 0) return -1;
    name[length] = 0;
    return ends_with(name, "/keydesk.db") ? 0 : ends_with(name, "/keydesk.db-wal") ? 1 : -1;
}

static void record(uint64_t kind, int file, uint64_t at, const void *bytes, uint64_t length) {
    int error = errno, number = recording < 0 ? -1 : number_of(file);
    if (number >= 0) {
        uint64_t head[4] = {kind, (uint64_t)number, at, length};
        struct iovec parts[2] = {{head, sizeof head}, {(void *)bytes, kind == WRITE ? length : 0}};
        if (writev(recording, parts, 2) != (ssize_t)(sizeof head + parts[1].iov_len)) abort();
    }
    errno = error;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    REAL(pwrite);
    ssize_t written = real(file, bytes, count, at);
    if (written > 0) record(WRITE, file, (uint64_t)at, bytes, (uint64_t)written);
    return written;
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    REAL(pwrite64);
    ssize_t written = real(file, bytes, count, at);
    if (written > 0) record(WRITE, file, (uint64_t)at, bytes, (uint64_t)written);
    return written;
}

int ftruncate(int file, off_t length) {
    REAL(ftruncate);
    int result = real(file, length);
    if (!result) record(TRUNCATE, file, 0, "", (uint64_t)length);
    return result;
}

int ftruncate64(int file, off64_t length) {
    REAL(ftruncate64);
    int result = real(file, length);
    if (!result) record(TRUNCATE, file, 0, "", (uint64_t)length);
    return result;
}

int fsync(int file) {
    REAL(fsync);
    int result = real(file);
    if (!result) record(FLUSH, file, 0, "", 0);
    return result;
}

int fdatasync(int file) {
    REAL(fdatasync);
    int result = real(file);
    if (!result) record(FLUSH, file, 0, "", 0);
    return result;
}
