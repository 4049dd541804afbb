#define Eigen dynasoc_eigen_baseline
#define DYNASOC_KERNEL(name) name##_baseline
#include "explore/search/kernels/predictor_kernel_impl.hpp"
