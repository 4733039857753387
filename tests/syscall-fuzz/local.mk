# Random system calls at the emulator; more of them: SYSCALL_FUZZ_SECONDS=600 make check TESTS=%D%/run
TESTS += %D%/run
EXTRA_DIST += %D%/run %D%/fuzz.c %D%/fuzz.h %D%/mixes.c
