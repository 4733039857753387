#!/bin/sh
# syscall-tables/ against the kernel's headers, and the generator's errors.
set -eu
cd "${srcdir:-.}"
"${PYTHON:-python3}" -B tests/syscalls/test-generator.py .
"${PYTHON:-python3}" -B tests/syscalls/check-tables.py . "${HOST_CPU:-x86_64}=${CC:-cc}" \
    "aarch64=${AARCH64_CC:-no}" "riscv64=${RISCV64_CC:-no}" "arm=${ARM_CC:-no}"
