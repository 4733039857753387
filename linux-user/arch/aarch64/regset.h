/* data plane */
#ifndef LINUX_USER_ARCH_AARCH64_REGSET_H
#define LINUX_USER_ARCH_AARCH64_REGSET_H

#include "linux-user/arch/regset.h"

extern const Regset aarch64_regsets[]; /* ends with type 0 */

#endif
