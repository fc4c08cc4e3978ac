// The kernel's KVM interface with what Swift cannot import by itself: request numbers are function-like macros, and the
// entries of a structure with a flexible array have no name in Swift.
#pragma once
#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <stddef.h>

static const unsigned long kvm_get_api_version = KVM_GET_API_VERSION;
static const unsigned long kvm_check_extension = KVM_CHECK_EXTENSION;
static const unsigned long kvm_get_run_size = KVM_GET_VCPU_MMAP_SIZE;
static const unsigned long kvm_create_machine = KVM_CREATE_VM;
static const unsigned long kvm_get_supported_features = KVM_GET_SUPPORTED_CPUID;

static const unsigned long kvm_set_tss_address = KVM_SET_TSS_ADDR;
static const unsigned long kvm_set_identity_map_address = KVM_SET_IDENTITY_MAP_ADDR;
static const unsigned long kvm_create_interrupt_controllers = KVM_CREATE_IRQCHIP;
static const unsigned long kvm_create_timer = KVM_CREATE_PIT2;
static const unsigned long kvm_set_timer_ticks = KVM_REINJECT_CONTROL;
static const unsigned long kvm_set_memory_region = KVM_SET_USER_MEMORY_REGION;
static const unsigned long kvm_create_processor = KVM_CREATE_VCPU;
static const unsigned long kvm_set_routes = KVM_SET_GSI_ROUTING;
static const unsigned long kvm_set_interrupt_event = KVM_IRQFD;
static const unsigned long kvm_set_write_event = KVM_IOEVENTFD;
static const unsigned long kvm_signal_message = KVM_SIGNAL_MSI;

static const unsigned long kvm_run_processor = KVM_RUN;
static const unsigned long kvm_note_stop = KVM_KVMCLOCK_CTRL;
static const unsigned long kvm_set_features = KVM_SET_CPUID2;
static const unsigned long kvm_set_model_registers = KVM_SET_MSRS;
static const unsigned long kvm_get_registers = KVM_GET_REGS;
static const unsigned long kvm_set_registers = KVM_SET_REGS;
static const unsigned long kvm_get_system_registers = KVM_GET_SREGS;
static const unsigned long kvm_set_system_registers = KVM_SET_SREGS;
static const unsigned long kvm_set_floating_point = KVM_SET_FPU;
static const unsigned long kvm_get_local_controller = KVM_GET_LAPIC;
static const unsigned long kvm_set_local_controller = KVM_SET_LAPIC;
static const unsigned long kvm_get_run_state = KVM_GET_MP_STATE;
static const unsigned long kvm_get_tsc_kilohertz = KVM_GET_TSC_KHZ;

static inline struct kvm_cpuid_entry2 *kvm_feature_entries(void *table) { return ((struct kvm_cpuid2 *)table)->entries; }
static inline struct kvm_msr_entry *kvm_model_register_entries(void *table) { return ((struct kvm_msrs *)table)->entries; }
static inline struct kvm_irq_routing_entry *kvm_route_entries(void *table) {
    return ((struct kvm_irq_routing *)table)->entries;
}

// A union of function pointers: the signal that takes a thread out of KVM_RUN, with a handler that does nothing and
// without SA_RESTART. Not a realtime signal: those queue, and one kick is as good as many.
int kvm_install_kick_signal(void);
// In the calling thread, which may have been started by one that blocks signals.
void kvm_accept_kick_signal(void);
