#ifdef DYNASOC_X86_KERNELS
#define Eigen dynasoc_eigen_avx512
#define DYNASOC_KERNEL(name) name##_avx512
#include "explore/search/kernels/predictor_kernel_impl.hpp"
#endif
