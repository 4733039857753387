check_PROGRAMS += tests/ir-fuzz/ir-fuzz
tests_ir_fuzz_ir_fuzz_SOURCES = %D%/gen.h %D%/values.h %D%/gen.c %D%/gen-guest.c %D%/gen-strings.h %D%/gen-strings.c %D%/gen-bytes.h %D%/gen-bytes.c %D%/gen-crowd.h %D%/gen-crowd.c %D%/ir-fuzz.c
tests_ir_fuzz_ir_fuzz_LDADD = $(TRANSLATOR_LIBS)
TESTS += tests/ir-fuzz/ir-fuzz
