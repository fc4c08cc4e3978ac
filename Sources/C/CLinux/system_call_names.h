#pragma once
#include <stddef.h>

/// The name of a system call of x86-64; NULL for a number that has none here.
const char *linux_system_call_name(unsigned number);
