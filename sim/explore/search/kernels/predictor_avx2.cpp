#ifdef DYNASOC_X86_KERNELS
#define Eigen dynasoc_eigen_avx2
#define DYNASOC_KERNEL(name) name##_avx2
#include "explore/search/kernels/predictor_kernel_impl.hpp"
#endif
