check_PROGRAMS += tests/runtime/runtime-test
tests_runtime_runtime_test_SOURCES = %D%/runtime-test.c
tests_runtime_runtime_test_LDADD = $(TRANSLATOR_LIBS)
# One run a backend.
TESTS += %D%/runtime-interp.sh %D%/runtime-x86_64.sh
EXTRA_DIST += %D%/runtime-interp.sh %D%/runtime-x86_64.sh
