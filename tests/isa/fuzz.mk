check_PROGRAMS += fuzz-test
fuzz_test_SOURCES = %D%/fuzz.c %D%/fuzz.h %D%/fuzz-aarch64.c
nodist_fuzz_test_SOURCES = translator/guest/aarch64/a64-rows.c
fuzz_test_CPPFLAGS = $(AM_CPPFLAGS)
fuzz_test_LDADD = $(TRANSLATOR_LIBS)
if HAVE_UNICORN
fuzz_test_CPPFLAGS += -DHAVE_UNICORN $(UNICORN_CFLAGS)
fuzz_test_LDADD += $(UNICORN_LIBS)
endif
TESTS += fuzz-test

TESTS += %D%/run-aarch64.sh
EXTRA_DIST += %D%/run-aarch64.sh %D%/aarch64
AM_TESTS_ENVIRONMENT += AARCH64_CC='$(AARCH64_CC)'; export AARCH64_CC;
