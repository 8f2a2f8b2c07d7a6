int wan_kernels_version(void);
