// libssh2, and of libcrypto (which libssh2 brings) what keys need. No `link` lines: SSH names the static archives.
#pragma once
#include <libssh2.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

// Versions since 1.11.1 have another function for this and call the older one deprecated; Swift sees no macros to choose by.
static inline void wander_set_stream_callbacks(LIBSSH2_SESSION *session, LIBSSH2_RECV_FUNC((*receive)),
                                               LIBSSH2_SEND_FUNC((*send))) {
#if LIBSSH2_VERSION_NUM >= 0x010b01
    libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_RECV, (libssh2_cb_generic *)receive);
    libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_SEND, (libssh2_cb_generic *)send);
#else
    libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, (void *)receive);
    libssh2_session_callback_set(session, LIBSSH2_CALLBACK_SEND, (void *)send);
#endif
}
