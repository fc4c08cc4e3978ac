// libcrypto (OpenSSL 3). The plain digest functions are declared deprecated in favour of EVP; wander keeps them, because
// they start at once, without loading providers and configuration.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>
#include <openssl/sha.h>
