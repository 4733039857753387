check_PROGRAMS += tests/memory/own-pages-test
tests_memory_own_pages_test_SOURCES = %D%/own-pages-test.c
tests_memory_own_pages_test_LDADD = $(TRANSLATOR_LIBS)
TESTS += tests/memory/own-pages-test
check_PROGRAMS += tests/memory/shared-lock-test
tests_memory_shared_lock_test_SOURCES = %D%/shared-lock-test.c
tests_memory_shared_lock_test_LDADD = $(TRANSLATOR_LIBS)
TESTS += tests/memory/shared-lock-test
