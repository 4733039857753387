if HOST_X86_64
check_PROGRAMS += tests/x86_64/ops-test
tests_x86_64_ops_test_SOURCES = %D%/ops-test.c %D%/ops-cases.c %D%/ops-test.h
tests_x86_64_ops_test_LDADD = $(TRANSLATOR_LIBS)
TESTS += tests/x86_64/ops-test
endif
