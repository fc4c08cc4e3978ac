#pragma once
#include <slirp/libslirp.h>

// What glib, which libslirp logs with, does with messages. Declared here because glib's headers need its development package.
typedef void (*WanderLogHandler)(const char *domain, int level, const char *message, void *data);
WanderLogHandler g_log_set_default_handler(WanderLogHandler handler, void *data);
