check_PROGRAMS += tests/syscalls/convert-test
tests_syscalls_convert_test_SOURCES = %D%/convert-test.c
tests_syscalls_convert_test_LDADD = libsyscalls.a
TESTS += tests/syscalls/convert-test %D%/tables.sh %D%/strace.sh
EXTRA_DIST += %D%/strace.sh %D%/strace-calls.c %D%/strace.expected %D%/tables.sh %D%/check-tables.py %D%/test-generator.py
AM_TESTS_ENVIRONMENT += PYTHON='$(PYTHON)' CC='$(CC)' AARCH64_CC='$(AARCH64_CC)' \
	RISCV64_CC='$(RISCV64_CC)' ARM_CC='$(ARM_CC)' HOST_CPU='$(host_cpu)'; \
	export PYTHON CC AARCH64_CC RISCV64_CC ARM_CC HOST_CPU;
