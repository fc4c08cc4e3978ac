// What a system-call filter refuses is told by a signal (SECCOMP_RET_TRAP), so that the refusal has a name. The handler
// writes it to standard error, once, and lets the call fail with the error that the filter chose. It runs in the middle of
// anything: it takes no lock and no memory, and makes two calls, write and rt_sigreturn.
#define _GNU_SOURCE
#include "CLinux.h"
#include "system_call_names.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <ucontext.h>

enum { reported_limit = 64, line_size = 160, seccomp_code = 1 };

// What was reported, each with its deciding argument; zero is free. What finds no place is not reported.
static _Atomic uint64_t reported[reported_limit];
static char program[32];

static size_t append(char *line, size_t length, const char *text) {
    while (*text && length < line_size - 1) line[length++] = *text++;
    return length;
}

static size_t append_number(char *line, size_t length, uint64_t value, unsigned base) {
    char digits[24], *start = digits + sizeof digits - 1;
    *start = 0;
    do { *--start = "0123456789abcdef"[value % base]; } while (value /= base);
    return append(line, length, start);
}

// The argument that filters look at, where they do.
static const char *argument_of(unsigned number, const greg_t *registers, uint64_t *value) {
    switch (number) {
    case SYS_ioctl: *value = (uint32_t)registers[REG_RSI]; return "request";
    case SYS_fcntl: *value = (uint32_t)registers[REG_RSI]; return "command";
    case SYS_socket: *value = (uint32_t)registers[REG_RDI]; return "family";
    case SYS_prctl: *value = (uint32_t)registers[REG_RDI]; return "option";
    case SYS_clone: *value = (uint32_t)registers[REG_RDI]; return "flags";
    case SYS_mmap:
    case SYS_mprotect: *value = (uint32_t)registers[REG_RDX]; return "protection";
    default: *value = 0; return NULL;
    }
}

// Whether this is the first time.
static int is_new(unsigned number, uint64_t value) {
    uint64_t key = ((uint64_t)number + 1) << 32 | value;
    for (int index = 0; index < reported_limit; index++) {
        uint64_t found = 0;
        if (atomic_compare_exchange_strong(&reported[index], &found, key)) return 1;
        if (found == key) return 0;
    }
    return 0;
}

static void refused(int signal, siginfo_t *info, void *context) {
    (void)signal;
    // Another process may send the signal, to no effect.
    if (info->si_code != seccomp_code) return;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    unsigned number = (unsigned)info->si_syscall;
    registers[REG_RAX] = -(greg_t)(info->si_errno > 0 ? info->si_errno : ENOSYS);
    uint64_t value;
    const char *argument = argument_of(number, registers, &value);
    // A filter that refuses write(2) itself has nobody to tell.
    if (number == SYS_write || !is_new(number, value)) return;
    char line[line_size];
    size_t length = append(line, 0, program);
    length = append(line, length, ": refused system call: ");
    const char *name = linux_system_call_name(number);
    length = name ? append(line, length, name) : append_number(line, length, number, 10);
    if (argument) {
        length = append(line, length, ", ");
        length = append(line, length, argument);
        length = append(line, length, " 0x");
        length = append_number(line, length, value, 16);
    }
    line[length++] = '\n';
    int before = errno;
    (void)!write(STDERR_FILENO, line, length);
    errno = before;
}

long linux_report_refused_calls(void) {
    if (!program[0]) strncpy(program, program_invocation_short_name, sizeof program - 1);
    // A call that is refused while the signal is blocked ends the process.
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSYS);
    int status = pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    if (status != 0) return -(long)status;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = refused;
    // The handler's own write may be refused in turn; calls that were interrupted in other threads go on.
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGSYS, &action, NULL) < 0 ? -(long)errno : 0;
}
