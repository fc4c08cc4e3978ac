// Loaded into QEMU (LD_PRELOAD) by script/nested-host.
//
// When a nested guest writes CR8 while a virtual interrupt waits, QEMU raises that interrupt without its big lock, and an
// assertion ends it (helper_write_crN calls cpu_interrupt; 6.2 to 10.0). UEFI firmware of the EDK2 writes CR8 at the end of
// each interrupt. This sends that one call through a function that takes the lock. A QEMU that does not have it so stays
// as it is.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool (*is_locked)(void);
static void (*lock)(const char *file, int line);
static void (*unlock)(void);
static void (*interrupt)(void *processor, int mask);

static void interrupt_with_lock(void *processor, int mask) {
    bool takes = !is_locked();
    if (takes) lock(__FILE__, __LINE__);
    interrupt(processor, mask);
    if (takes) unlock();
}

// A jump to interrupt_with_lock, so near to `place` that 32 bits reach it.
static uint8_t *make_bridge(uint8_t *place) {
    const uintptr_t step = 1 << 20;
    for (uintptr_t distance = 64 * step; distance < 1024 * step; distance += step) {
        void *wanted = (void *)(((uintptr_t)place - distance) & ~(uintptr_t)4095);
        uint8_t *bridge = mmap(wanted, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (bridge == MAP_FAILED) continue;
        void (*target)(void *, int) = interrupt_with_lock;
        memcpy(bridge, "\x48\xb8", 2);  // mov rax, target
        memcpy(bridge + 2, &target, 8);
        memcpy(bridge + 10, "\xff\xe0", 2);  // jmp rax
        return mprotect(bridge, 4096, PROT_READ | PROT_EXEC) == 0 ? bridge : NULL;
    }
    return NULL;
}

__attribute__((constructor)) static void mend(void) {
    uint8_t *code = dlsym(RTLD_DEFAULT, "helper_write_crN");
    interrupt = dlsym(RTLD_DEFAULT, "cpu_interrupt");
    is_locked = dlsym(RTLD_DEFAULT, "bql_locked");
    lock = dlsym(RTLD_DEFAULT, "bql_lock_impl");
    unlock = dlsym(RTLD_DEFAULT, "bql_unlock");
    if (!code || !interrupt || !is_locked || !lock || !unlock) return;
    // A call, or a jump as the last thing that the function does.
    for (uint8_t *at = code; at < code + 1024; at++) {
        int32_t offset;
        memcpy(&offset, at + 1, 4);
        if ((*at != 0xe8 && *at != 0xe9) || at + 5 + offset != (uint8_t *)interrupt) continue;
        uint8_t *bridge = make_bridge(at);
        uintptr_t page = (uintptr_t)at & ~(uintptr_t)4095;
        if (!bridge || mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC)) return;
        offset = (int32_t)(bridge - (at + 5));
        memcpy(at + 1, &offset, 4);
        mprotect((void *)page, 8192, PROT_READ | PROT_EXEC);
        return;
    }
}
