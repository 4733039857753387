check_PROGRAMS += tests/kick-fuzz/kick-fuzz
tests_kick_fuzz_kick_fuzz_SOURCES = %D%/gen.h %D%/gen.c %D%/gen-aarch64.c %D%/gen-riscv64.c \
	%D%/kick-fuzz.c
tests_kick_fuzz_kick_fuzz_LDADD = $(TRANSLATOR_LIBS)
TESTS += tests/kick-fuzz/kick-fuzz
