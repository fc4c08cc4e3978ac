#pragma once
// A header of our own, because a module map cannot name a file that only the compiler's search path finds.
#include <yaml.h>
