// The C library's allocation for a program that would rather end with a sentence than be refused.
#ifndef WAN_ALLOCATION_H
#define WAN_ALLOCATION_H

#include <stddef.h>

/// Called on the thread whose allocation failed, with the bytes that it wanted; does not return.
typedef void (*wan_exhausted_t)(size_t wanted);

/// Sets what happens when memory is refused to anything in the program: its own code, the Swift runtime, a library.
/// Until then a sentence is written to standard error and the program ends with status 1.
void wan_allocation_on_failure(wan_exhausted_t exhausted);

/// Where addresses are limited (`ulimit -v`), keeps each thread from reserving 64 MiB of them for its small objects.
void wan_allocation_spare_addresses(void);

#endif
