TESTS += %D%/cache.sh
EXTRA_DIST += %D%/cache.sh %D%/cache.py %D%/work.c %D%/patch.c %D%/far.c %D%/cross.c %D%/parts.c %D%/kinds.c \
              %D%/guess.c %D%/forks.c

check_PROGRAMS += tests/cache/points-test
tests_cache_points_test_SOURCES = %D%/points-test.c
tests_cache_points_test_LDADD = $(TRANSLATOR_LIBS)
TESTS += tests/cache/points-test
