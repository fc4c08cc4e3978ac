#include "CKVM.h"

#include <signal.h>

// What the Swift side relies on (Documentation/virt/kvm/api.rst); a kernel header that differs does not compile.
_Static_assert(sizeof(struct kvm_run) >= 2048, "kvm_run");
_Static_assert(offsetof(struct kvm_run, immediate_exit) == 1, "kvm_run.immediate_exit");
_Static_assert(offsetof(struct kvm_run, io) == 32, "kvm_run.io");
_Static_assert(offsetof(struct kvm_run, mmio.data) == 40, "kvm_run.mmio.data");
_Static_assert(sizeof(struct kvm_regs) == 144 && sizeof(struct kvm_sregs) == 312, "registers");
_Static_assert(sizeof(struct kvm_cpuid_entry2) == 40 && sizeof(struct kvm_msr_entry) == 16, "table entries");
_Static_assert(sizeof(struct kvm_irq_routing_entry) == 48 && sizeof(struct kvm_irqfd) == 32, "interrupts");
_Static_assert(sizeof(struct kvm_ioeventfd) == 64 && sizeof(struct kvm_userspace_memory_region) == 32, "events, memory");

static void nothing(int number) { (void)number; }

int kvm_install_kick_signal(void) {
    struct sigaction action = {.sa_handler = nothing};
    sigemptyset(&action.sa_mask);
    return sigaction(SIGUSR1, &action, NULL) == 0 ? SIGUSR1 : -1;
}

void kvm_accept_kick_signal(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
