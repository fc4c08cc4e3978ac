// libssh2, and of libcrypto (which libssh2 brings) what keys need. No `link` lines: SSH names the static archives.
#pragma once
#include <libssh2.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
