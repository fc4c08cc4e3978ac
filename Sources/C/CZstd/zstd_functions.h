// A header of our own, because a module map needs a path relative to itself.
#pragma once
#include <zstd.h>
