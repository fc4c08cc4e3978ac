// What the queue benchmark measures against: the same work in C.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct queue_peer {
    uint16_t size, next_available, available_index, next_used;
    const uint8_t *memory;
    size_t memory_size;
    const uint8_t *descriptors, *available;
    uint8_t *used;
};

struct queue_peer_segment {
    void *base;
    size_t count;
};

// Takes every available chain, checks it as the device's queue does, and hands it back used.
// Returns the number of chains, or -1 for a chain that is not well formed.
long queue_peer_serve(struct queue_peer *queue, struct queue_peer_segment *segments);
