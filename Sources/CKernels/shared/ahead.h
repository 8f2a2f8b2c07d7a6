// Fetching a matrix's next stretch into the cache a little at a time, while the tiles of the one before are computed.
#ifndef WAN_AHEAD_H
#define WAN_AHEAD_H

#include <stddef.h>

enum { WAN_LINE = 64 };

/// Some bytes of each row of a matrix, how far they were fetched, and how many lines are fetched at a time.
typedef struct {
  const char *rows;
  size_t row_bytes, lines, count, row, line, share;
} wan_ahead_t;

/// The first bytes of count rows that begin row_bytes apart, in as many parts as there are tiles; nothing where rows is
/// NULL.
static inline wan_ahead_t wan_ahead(const void *rows, size_t row_bytes, size_t bytes, size_t count, size_t tiles) {
  wan_ahead_t ahead = {.rows = rows, .row_bytes = row_bytes, .lines = (bytes + WAN_LINE - 1) / WAN_LINE};
  ahead.count = rows ? count : 0;
  ahead.share = tiles > 0 ? (ahead.count * ahead.lines + tiles - 1) / tiles : 0;
  return ahead;
}

/// Fetches one part.
static inline void wan_fetch(wan_ahead_t *ahead) {
  for (size_t left = ahead->share; left > 0 && ahead->row < ahead->count; --left) {
    __builtin_prefetch(ahead->rows + ahead->row * ahead->row_bytes + ahead->line * WAN_LINE, 0, 2);
    if (++ahead->line == ahead->lines) ahead->line = 0, ++ahead->row;
  }
}

#endif
