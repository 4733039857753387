check_PROGRAMS += tests/memory/own-pages-test
tests_memory_own_pages_test_SOURCES = %D%/own-pages-test.c
tests_memory_own_pages_test_LDADD = $(TRANSLATOR_LIBS)
TESTS += tests/memory/own-pages-test
