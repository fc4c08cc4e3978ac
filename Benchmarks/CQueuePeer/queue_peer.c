#include "queue_peer.h"

static uint16_t load16(const uint8_t *address, int order) {
    return __atomic_load_n((const uint16_t *)address, order);
}

static long walk(struct queue_peer *queue, uint16_t head, struct queue_peer_segment *segments) {
    uint16_t index = head;
    long count = 0;
    uint64_t readable = 0, writable = 0;
    for (;;) {
        if (index >= queue->size || count >= queue->size) return -1;
        const uint64_t *words = (const uint64_t *)(queue->descriptors + 16 * (size_t)index);
        uint64_t address = __atomic_load_n(&words[0], __ATOMIC_RELAXED);
        uint64_t rest = __atomic_load_n(&words[1], __ATOMIC_RELAXED);
        uint32_t length = (uint32_t)rest;
        uint16_t flags = (uint16_t)(rest >> 32);
        if (flags & ~3u) return -1;
        if (!(flags & 2) && writable) return -1;
        if (length > queue->memory_size || address > queue->memory_size - length) return -1;
        segments[count].base = (void *)(queue->memory + address);
        segments[count].count = length;
        count++;
        if (flags & 2) writable += length; else readable += length;
        if (!(flags & 1)) break;
        index = (uint16_t)(rest >> 48);
    }
    if (readable > UINT32_MAX || writable > UINT32_MAX) return -1;
    return (long)writable;
}

long queue_peer_serve(struct queue_peer *queue, struct queue_peer_segment *segments) {
    long chains = 0;
    for (;;) {
        if (queue->next_available == queue->available_index) {
            queue->available_index = load16(queue->available + 2, __ATOMIC_ACQUIRE);
            if (queue->next_available == queue->available_index) return chains;
        }
        if ((uint16_t)(queue->available_index - queue->next_available) > queue->size) return -1;
        size_t slot = queue->next_available & (queue->size - 1);
        uint16_t head = load16(queue->available + 4 + 2 * slot, __ATOMIC_RELAXED);
        queue->next_available++;
        long written = walk(queue, head, segments);
        if (written < 0) return -1;
        uint8_t *element = queue->used + 4 + 8 * (size_t)(queue->next_used & (queue->size - 1));
        ((uint32_t *)element)[0] = head;
        ((uint32_t *)element)[1] = (uint32_t)written;
        queue->next_used++;
        __atomic_store_n((uint16_t *)(queue->used + 2), queue->next_used, __ATOMIC_RELEASE);
        chains++;
    }
}
