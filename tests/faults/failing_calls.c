/* Count a process's calls that write below one folder, or take much memory, and fail the n-th.
   Loaded before the C library (LD_PRELOAD); it sees what packages written in C do, too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MOST_FILES = 65536 };

static char folder[4096];
static char watched[MOST_FILES];
static volatile int armed;
static int signal_number;
static long fail_at, counted;
static size_t least_memory;

/* With `memory`, count requests of at least so many bytes, else writes below `below`. With a
   signal, send it instead of failing the call. */
void faults_arm(const char *below, long n, int number, size_t memory) {
    strncpy(folder, below, sizeof folder - 1);
    fail_at = n;
    signal_number = number;
    least_memory = memory;
    counted = 0;
    armed = 1;
}

long faults_disarm(void) {
    armed = 0;
    return counted;
}

static int is_due(void) {
    if (__sync_fetch_and_add(&counted, 1) != fail_at) return 0;
    if (signal_number == 0) return 1;
    kill(getpid(), signal_number);
    return 0;
}

static int fails(int concerned) {
    if (!armed || least_memory || !concerned || !is_due()) return 0;
    errno = ENOSPC;
    return 1;
}

static int below(const char *path) {
    return folder[0] && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_watched(int fd) { return fd >= 0 && fd < MOST_FILES && watched[fd]; }

static int opened(int fd, int concerned) {
    if (fd >= 0 && fd < MOST_FILES) watched[fd] = (char)concerned;
    return fd;
}

#define REAL(name, ...) ((typeof(name) *)dlsym(RTLD_NEXT, #name))(__VA_ARGS__)
#define MODE \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    int concerned = below(path) && (flags & (O_CREAT | O_WRONLY | O_RDWR)) != 0; \
    if (fails(concerned)) return -1;

int open(const char *path, int flags, ...) {
    MODE return opened(REAL(open, path, flags, mode), concerned);
}
int open64(const char *path, int flags, ...) {
    MODE return opened(REAL(open64, path, flags, mode), concerned);
}
int openat(int at, const char *path, int flags, ...) {
    MODE return opened(REAL(openat, at, path, flags, mode), concerned);
}
int openat64(int at, const char *path, int flags, ...) {
    MODE return opened(REAL(openat64, at, path, flags, mode), concerned);
}
int close(int fd) {
    opened(fd, 0);
    return REAL(close, fd);
}
ssize_t write(int fd, const void *data, size_t size) {
    return fails(is_watched(fd)) ? -1 : REAL(write, fd, data, size);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t place) {
    return fails(is_watched(fd)) ? -1 : REAL(pwrite, fd, data, size, place);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t place) {
    return fails(is_watched(fd)) ? -1 : REAL(pwrite64, fd, data, size, place);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    return fails(is_watched(fd)) ? -1 : REAL(writev, fd, parts, count);
}
int ftruncate(int fd, off_t size) {
    return fails(is_watched(fd)) ? -1 : REAL(ftruncate, fd, size);
}
int ftruncate64(int fd, off64_t size) {
    return fails(is_watched(fd)) ? -1 : REAL(ftruncate64, fd, size);
}
int fsync(int fd) { return fails(is_watched(fd)) ? -1 : REAL(fsync, fd); }
int fdatasync(int fd) { return fails(is_watched(fd)) ? -1 : REAL(fdatasync, fd); }
int rename(const char *from, const char *to) {
    return fails(below(to)) ? -1 : REAL(rename, from, to);
}
int mkdir(const char *path, mode_t mode) {
    return fails(below(path)) ? -1 : REAL(mkdir, path, mode);
}

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static int no_memory(size_t size) {
    if (!armed || !least_memory || size < least_memory || !is_due()) return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) { return no_memory(size) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) {
    return no_memory(count * size) ? NULL : __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) { return no_memory(size) ? NULL : __libc_realloc(old, size); }
void *aligned_alloc(size_t step, size_t size) {
    return no_memory(size) ? NULL : __libc_memalign(step, size);
}
int posix_memalign(void **place, size_t step, size_t size) {
    if (no_memory(size)) return ENOMEM;
    *place = __libc_memalign(step, size);
    return *place ? 0 : ENOMEM;
}
