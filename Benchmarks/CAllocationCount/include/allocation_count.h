#pragma once
// How often malloc, calloc, realloc and posix_memalign were called by this process.
unsigned long allocation_count(void);
