// malloc and its like, in place of the C library's, which they call: the same memory, but none of them gives NULL.
//
// The Swift runtime, the standard C++ library and many others end a program by a trap when they are refused memory, in
// the middle of whatever they do. A program that defines these functions itself replaces them for all of its
// libraries (https://sourceware.org/glibc/manual/latest/html_node/Replacing-malloc.html); this works where the C
// library offers its own under other names, which is glibc. Elsewhere, and under a sanitizer, which replaces them too,
// nothing is replaced.
#include "wan_allocation.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

static _Atomic(wan_exhausted_t) on_failure;

void wan_allocation_on_failure(wan_exhausted_t exhausted) { atomic_store(&on_failure, exhausted); }

void wan_allocation_spare_addresses(void) {
#if defined(__GLIBC__)
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) mallopt(M_ARENA_MAX, 1);
#endif
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define WAN_SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(WAN_SANITIZED)
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static _Noreturn void fail(size_t wanted) {
  wan_exhausted_t exhausted = atomic_load(&on_failure);
  if (exhausted) exhausted(wanted);
  static const char text[] = "Error: the system gives no more memory; raise the limit on it ('ulimit -v', 'ulimit -d')\n";
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(1);
  _exit(1);
}

void *malloc(size_t size) {
  void *block = __libc_malloc(size);
  if (!block) fail(size);
  return block;
}

void *calloc(size_t count, size_t size) {
  void *block = __libc_calloc(count, size);
  if (!block) fail(count > SIZE_MAX / (size ? size : 1) ? SIZE_MAX : count * size);
  return block;
}

void *realloc(void *block, size_t size) {
  void *moved = __libc_realloc(block, size);
  // Of size 0 it frees, and gives NULL for that.
  if (!moved && size > 0) fail(size);
  return moved;
}

void *aligned_alloc(size_t alignment, size_t size) {
  void *block = __libc_memalign(alignment, size);
  if (!block) fail(size);
  return block;
}

int posix_memalign(void **block, size_t alignment, size_t size) {
  if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
  void *made = __libc_memalign(alignment, size);
  if (!made) fail(size);
  *block = made;
  return 0;
}
#endif
