#include "wan_kernels.h"
int wan_kernels_version(void) { return 1; }
