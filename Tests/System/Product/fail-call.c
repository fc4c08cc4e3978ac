// Preloaded into `wander`: looking at (stat), opening (open) or listing (readdir) whatever is called FAIL_NAME fails with EIO.
// FAIL_CALL says which of them.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fails(const char *call, const char *path) {
    const char *wanted = getenv("FAIL_CALL"), *name = getenv("FAIL_NAME");
    if (!path || !wanted || !name || strcmp(call, wanted) != 0) return 0;
    const char *slash = strrchr(path, '/');
    return strcmp(slash ? slash + 1 : path, name) == 0;
}

#define REAL(name) \
    static typeof(name) *real; \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name);

int fstatat(int folder, const char *path, struct stat *status, int flags) {
    REAL(fstatat)
    if (fails("stat", path)) return errno = EIO, -1;
    return real(folder, path, status, flags);
}

int openat(int folder, const char *path, int flags, ...) {
    REAL(openat)
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    if (fails("open", path)) return errno = EIO, -1;
    return real(folder, path, flags, mode);
}

int open(const char *path, int flags, ...) {
    REAL(open)
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    if (fails("open", path)) return errno = EIO, -1;
    return real(path, flags, mode);
}

static DIR *failing;

DIR *opendir(const char *path) {
    REAL(opendir)
    DIR *handle = real(path);
    if (fails("readdir", path)) failing = handle;
    return handle;
}

struct dirent *readdir(DIR *handle) {
    REAL(readdir)
    if (handle == failing) return errno = EIO, NULL;
    return real(handle);
}
