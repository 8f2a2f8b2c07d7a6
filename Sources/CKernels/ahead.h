// Fetching a matrix's next stretch into the cache a little at a time, while the tiles of the one before are computed.
#ifndef WAN_AHEAD_H
#define WAN_AHEAD_H

#include <stddef.h>

enum { WAN_LINE = 64 };

/// Some bytes of each row of a matrix, and how far they were fetched.
typedef struct {
  const char *rows;
  size_t row_bytes, lines, count, row, line;
} wan_ahead_t;

/// The first bytes of count rows that begin row_bytes apart; nothing where rows is NULL.
static inline wan_ahead_t wan_ahead(const void *rows, size_t row_bytes, size_t bytes, size_t count) {
  return (wan_ahead_t){rows, row_bytes, (bytes + WAN_LINE - 1) / WAN_LINE, rows ? count : 0, 0, 0};
}

/// The lines to fetch with each of some tiles, so that all are fetched with the last.
static inline size_t wan_ahead_share(const wan_ahead_t *ahead, size_t tiles) {
  return tiles > 0 ? (ahead->count * ahead->lines + tiles - 1) / tiles : 0;
}

static inline void wan_fetch(wan_ahead_t *ahead, size_t lines) {
  for (; lines > 0 && ahead->row < ahead->count; --lines) {
    __builtin_prefetch(ahead->rows + ahead->row * ahead->row_bytes + ahead->line * WAN_LINE, 0, 2);
    if (++ahead->line == ahead->lines) ahead->line = 0, ++ahead->row;
  }
}

#endif
