/* data plane */
#ifndef LINUX_USER_ARCH_RISCV64_REGSET_H
#define LINUX_USER_ARCH_RISCV64_REGSET_H

#include "linux-user/arch/regset.h"

extern const Regset riscv64_regsets[]; /* ends with type 0 */

#endif
