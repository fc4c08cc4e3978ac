// Kernel and C library interfaces that Swift cannot import by itself: variadic functions, function-like macros,
// and calls that glibc shows only with _GNU_SOURCE. That macro changes the layout of types in glibc's headers and all
// C modules of one program must agree on them, so it is defined in system.c alone.
//
// Every wrapper returns -errno on failure: no Swift code can run between a call and the look at its errno.
#pragma once
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

// Variadic in C: ioctl(2), fcntl(2), openat(2), syscall(2), prctl(2).
long linux_ioctl(int fd, unsigned long request, void *argument);
long linux_ioctl_value(int fd, unsigned long request, unsigned long value);
long linux_fcntl(int fd, int command, long value);
long linux_fcntl_lock(int fd, int command, struct flock *lock);
long linux_openat(int directory, const char *path, int flags, unsigned mode);
long linux_syscall(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d, unsigned long e);
long linux_prctl(int option, unsigned long a, unsigned long b);

// _GNU_SOURCE only.
long linux_pipe2(int *ends, int flags);
long linux_accept4(int fd, int flags);
long linux_fallocate(int fd, int mode, int64_t offset, int64_t length);
long linux_memfd_create(const char *name, unsigned flags);
long linux_copy_file_range(int from, int64_t *from_offset, int to, int64_t *to_offset, size_t length);
long linux_renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags);
long linux_pwritev2(int fd, const struct iovec *vectors, int count, int64_t offset, int flags);
long linux_gettid(void);
void linux_set_thread_name(const char *name);
int linux_spawn_close_from(posix_spawn_file_actions_t *actions, int first);
int linux_spawn_change_directory(posix_spawn_file_actions_t *actions, const char *path);
extern const short linux_spawn_set_session;
enum {
    linux_ofd_get_lock = 36,  // F_OFD_GETLK
    linux_ofd_set_lock = 37,  // F_OFD_SETLK
    linux_ofd_wait_lock = 38,  // F_OFD_SETLKW
    linux_set_pipe_size = 1031,  // F_SETPIPE_SZ
    linux_get_pipe_size = 1032,  // F_GETPIPE_SZ
    linux_add_seals = 1033,  // F_ADD_SEALS
    linux_get_seals = 1034,  // F_GET_SEALS
    linux_get_lifetime_hint = 1035,  // F_GET_RW_HINT
    linux_seal_shrink = 2,  // F_SEAL_SHRINK
    linux_seal_grow = 4,  // F_SEAL_GROW
    linux_open_path = 0x200000,  // O_PATH
    linux_clone_thread = 0x10000,  // CLONE_THREAD
    linux_clone_namespaces = 0x7e020080,  // Every CLONE_NEW*.
};

// Not _GNU_SOURCE, but beside its fellow.
long linux_preadv(int fd, const struct iovec *vectors, int count, int64_t offset);

// No wrapper in glibc before 2.36.
long linux_pidfd_open(int pid);

// Lets calls that a filter refuses with SECCOMP_RET_TRAP fail with the error in its data, and names each on standard error,
// once. For the whole process; the calling thread, and those that it starts, must not block SIGSYS.
long linux_report_refused_calls(void);

// Swift refuses the C pointer type of `environ`, a mutable global.
char **linux_environment(void);

// Function-like macros.
int linux_exit_status(int status);
int linux_exit_signal(int status);
int linux_is_regular(unsigned mode);
int linux_is_directory(unsigned mode);
int linux_is_link(unsigned mode);
int linux_is_socket(unsigned mode);
int linux_first_realtime_signal(void);

// Swift calls it unavailable: see ForkedProcess.
long linux_fork(void);

// Function-pointer casts of numbers.
void linux_ignore_signal(int number);
void linux_reset_signal(int number);
int linux_ignores_signal(int number);
int linux_last_signal(void);

// Whether a POSIX extended regular expression is found in a text; an invalid one is not. Swift does not see regex_t whole.
int linux_matches(const char *pattern, const char *text);

// glibc declares their arguments as transparent unions, which Swift cannot fill.
long linux_bind_unix(int fd, const struct sockaddr_un *address);
long linux_bind_inet(int fd, const void *address);  // A struct sockaddr_in.
long linux_connect_unix(int fd, const struct sockaddr_un *address);

// Control messages (cmsg(3)): function-like macros over a buffer with alignment of its own. SCM_RIGHTS alone, at most
// linux_descriptor_limit descriptors a call. Received ones are close-on-exec; if more were sent than `capacity`, none is
// kept and the result is -EMSGSIZE. `count` is set to how many there are, whatever else happens.
enum { linux_descriptor_limit = 16 };
long linux_receive_descriptors(int fd, void *buffer, size_t length, int *descriptors, size_t capacity, size_t *count);
long linux_send_descriptors(int fd, const void *buffer, size_t length, const int *descriptors, size_t count);

// The linker's own marks: where this program's code begins and ends in memory.
const void *linux_code_start(void);
const void *linux_code_end(void);

// <malloc.h> is in no module.
void linux_use_one_heap(void);
void linux_trim_heap(void);
