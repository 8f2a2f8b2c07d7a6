// The register tile of the products: WAN_TILE_ROWS rows by WAN_LANES lanes, as many sums as fit beside their operands in
// 32 or 16 vector registers. Included once per instruction set; tile_end.h takes the names back.
//
// Tiles are written out with one variable per sum rather than with loops over an array: the sums are then registers at
// every optimisation level that has any, and without optimisation the inner loop is still twenty times faster.
#ifndef WAN_TILE_ROWS
#if WAN_WIDTH == 16 || defined(__aarch64__)
#define WAN_TILE_ROWS 12
#else
#define WAN_TILE_ROWS 6
#endif
#endif
#if WAN_TILE_ROWS == 12
#define WAN_TILE_EACH(row) row(0) row(1) row(2) row(3) row(4) row(5) row(6) row(7) row(8) row(9) row(10) row(11)
#else
#define WAN_TILE_EACH(row) row(0) row(1) row(2) row(3) row(4) row(5)
#endif
#define WAN_LANES (2 * WAN_WIDTH)
