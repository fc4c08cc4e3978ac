// zlib's initialisers are macros that add the version and the size of z_stream, so Swift cannot import them.
#pragma once
#include <zlib.h>

static inline int zlib_inflate_init(z_stream *stream, int window_bits) { return inflateInit2(stream, window_bits); }
static inline int zlib_deflate_init(z_stream *stream, int level, int window_bits) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, 9, Z_DEFAULT_STRATEGY);
}
