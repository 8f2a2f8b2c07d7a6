// Takes back what tile.h defines.
#undef WAN_TILE_ROWS
#undef WAN_TILE_EACH
#undef WAN_LANES
