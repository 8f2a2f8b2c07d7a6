#include "wan_kernels.h"
