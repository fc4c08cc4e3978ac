// Preloaded into `wander`: kills it right after its N-th call that changes something outside of itself, N being
// KILL_AFTER, or sends itself the signal KILL_WITH. What it starts is left alone. So a test can stop a command between any two of its lasting effects.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int after, with = SIGKILL;
static atomic_int count;

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("KILL_AFTER");
    const char *name = program_invocation_short_name;
    const char *number = getenv("KILL_WITH");
    if (text && strcmp(name, "wander") == 0) after = atoi(text);
    if (number) with = atoi(number);
}

static void effect(void) {
    int saved = errno;
    if (after > 0 && atomic_fetch_add(&count, 1) + 1 == after) kill(getpid(), with);
    errno = saved;
}

#define WRAP(type, name, parameters, arguments)            \
    type name parameters {                                 \
        static type(*real) parameters;                     \
        if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name); \
        type result = real arguments;                      \
        effect();                                          \
        return result;                                     \
    }

WRAP(int, rename, (const char *from, const char *to), (from, to))
WRAP(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags))
WRAP(int, link, (const char *from, const char *to), (from, to))
WRAP(int, unlink, (const char *path), (path))
WRAP(int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, ftruncate, (int descriptor, off_t length), (descriptor, length))
WRAP(int, connect, (int descriptor, const struct sockaddr *address, socklen_t length), (descriptor, address, length))
WRAP(int, posix_spawnp,
     (pid_t *process, const char *file, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
      char *const arguments[], char *const environment[]),
     (process, file, actions, attributes, arguments, environment))
