#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <regex.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

_Static_assert(linux_ofd_get_lock == F_OFD_GETLK && linux_ofd_set_lock == F_OFD_SETLK, "locks");
_Static_assert(linux_ofd_wait_lock == F_OFD_SETLKW, "locks");
_Static_assert(linux_set_pipe_size == F_SETPIPE_SZ && linux_get_pipe_size == F_GETPIPE_SZ, "pipes");
_Static_assert(linux_add_seals == F_ADD_SEALS && linux_get_seals == F_GET_SEALS, "seals");
_Static_assert(linux_seal_shrink == F_SEAL_SHRINK && linux_seal_grow == F_SEAL_GROW, "seals");
_Static_assert(linux_get_lifetime_hint == F_GET_RW_HINT && linux_open_path == O_PATH, "descriptors");
_Static_assert(linux_clone_thread == CLONE_THREAD, "threads");
_Static_assert(linux_clone_namespaces == (CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID
    | CLONE_NEWTIME | CLONE_NEWUSER | CLONE_NEWUTS), "namespaces");

static long result_of(long result) { return result < 0 ? -(long)errno : result; }

long linux_ioctl(int fd, unsigned long request, void *argument) { return result_of(ioctl(fd, request, argument)); }
long linux_ioctl_value(int fd, unsigned long request, unsigned long value) { return result_of(ioctl(fd, request, value)); }
long linux_fcntl(int fd, int command, long value) { return result_of(fcntl(fd, command, value)); }
long linux_fcntl_lock(int fd, int command, struct flock *lock) { return result_of(fcntl(fd, command, lock)); }
long linux_openat(int directory, const char *path, int flags, unsigned mode) {
    return result_of(openat(directory, path, flags, mode));
}
long linux_syscall(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d, unsigned long e) {
    return result_of(syscall(number, a, b, c, d, e));
}
long linux_prctl(int option, unsigned long a, unsigned long b) { return result_of(prctl(option, a, b, 0, 0)); }

long linux_pipe2(int *ends, int flags) { return result_of(pipe2(ends, flags)); }
long linux_accept4(int fd, int flags) { return result_of(accept4(fd, NULL, NULL, flags)); }
long linux_fallocate(int fd, int mode, int64_t offset, int64_t length) {
    return result_of(fallocate(fd, mode, offset, length));
}
long linux_memfd_create(const char *name, unsigned flags) { return result_of(memfd_create(name, flags)); }
long linux_copy_file_range(int from, int64_t *from_offset, int to, int64_t *to_offset, size_t length) {
    return result_of(copy_file_range(from, from_offset, to, to_offset, length, 0));
}
long linux_renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    return result_of(renameat2(from_directory, from, to_directory, to, flags));
}
long linux_preadv(int fd, const struct iovec *vectors, int count, int64_t offset) {
    return result_of(preadv(fd, vectors, count, offset));
}
long linux_pwritev2(int fd, const struct iovec *vectors, int count, int64_t offset, int flags) {
    return result_of(pwritev2(fd, vectors, count, offset, flags));
}
long linux_gettid(void) { return (long)gettid(); }
void linux_set_thread_name(const char *name) {
    char shortened[16];
    snprintf(shortened, sizeof shortened, "%s", name);
    pthread_setname_np(pthread_self(), shortened);
}
int linux_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}
int linux_spawn_change_directory(posix_spawn_file_actions_t *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}
const short linux_spawn_set_session = POSIX_SPAWN_SETSID;

long linux_fork(void) { return result_of(fork()); }
long linux_pidfd_open(int pid) { return result_of(syscall(SYS_pidfd_open, pid, 0)); }
char **linux_environment(void) { return environ; }

int linux_exit_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }
int linux_exit_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }
int linux_is_regular(unsigned mode) { return S_ISREG(mode); }
int linux_is_directory(unsigned mode) { return S_ISDIR(mode); }
int linux_is_link(unsigned mode) { return S_ISLNK(mode); }
int linux_is_socket(unsigned mode) { return S_ISSOCK(mode); }
int linux_matches(const char *pattern, const char *text) {
    regex_t expression;
    if (regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB) != 0) return 0;
    int result = regexec(&expression, text, 0, NULL, 0);
    regfree(&expression);
    return result == 0;
}
int linux_first_realtime_signal(void) { return SIGRTMIN; }
int linux_last_signal(void) { return SIGRTMAX; }
void linux_ignore_signal(int number) { signal(number, SIG_IGN); }
void linux_reset_signal(int number) { signal(number, SIG_DFL); }
int linux_ignores_signal(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

long linux_bind_unix(int fd, const struct sockaddr_un *address) {
    return result_of(bind(fd, (const struct sockaddr *)address, sizeof *address));
}
long linux_bind_inet(int fd, const void *address) {
    return result_of(bind(fd, (const struct sockaddr *)address, sizeof(struct sockaddr_in)));
}
long linux_connect_unix(int fd, const struct sockaddr_un *address) {
    return result_of(connect(fd, (const struct sockaddr *)address, sizeof *address));
}

extern const char __executable_start[], etext[];
const void *linux_code_start(void) { return __executable_start; }
const void *linux_code_end(void) { return etext; }

void linux_use_one_heap(void) { mallopt(M_ARENA_MAX, 1); }
void linux_trim_heap(void) { malloc_trim(0); }

long linux_receive_descriptors(int fd, void *buffer, size_t length, int *descriptors, size_t capacity, size_t *count) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * linux_descriptor_limit)];
    } control;
    struct iovec part = {buffer, length};
    struct msghdr message = {0};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    *count = 0;
    ssize_t received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (received < 0) return -(long)errno;
    size_t found = 0;
    int too_many = (message.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item; item = CMSG_NXTHDR(&message, item)) {
        if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS) continue;
        size_t number = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < number; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(item) + index * sizeof(int), sizeof descriptor);
            if (found < capacity) {
                descriptors[found++] = descriptor;
            } else {
                close(descriptor);
                too_many = 1;
            }
        }
    }
    if (too_many) {
        for (size_t index = 0; index < found; index++) close(descriptors[index]);
        return -(long)EMSGSIZE;
    }
    *count = found;
    return (long)received;
}

long linux_send_descriptors(int fd, const void *buffer, size_t length, const int *descriptors, size_t count) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * linux_descriptor_limit)];
    } control;
    if (count > linux_descriptor_limit) return -(long)EINVAL;
    struct iovec part = {(void *)buffer, length};
    struct msghdr message = {0};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * count);
    }
    return result_of(sendmsg(fd, &message, MSG_NOSIGNAL));
}
