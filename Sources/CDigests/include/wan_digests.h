// The block functions of SHA-256 and SHA-1, FIPS 180-4. Padding and lengths are their caller's.

#ifndef WAN_DIGESTS_H
#define WAN_DIGESTS_H

#include <stddef.h>
#include <stdint.h>

// Bytes of a block.
#define WAN_DIGEST_BLOCK 64

// Takes whole blocks into a state of eight words, with the processor's own instructions where it has them.
void wan_sha256_blocks(uint32_t *state, const void *blocks, size_t count);

// The same in plain C, for every machine.
void wan_sha256_blocks_portable(uint32_t *state, const void *blocks, size_t count);

// Takes whole blocks into a state of five words.
void wan_sha1_blocks(uint32_t *state, const void *blocks, size_t count);

#endif
