# Small C programs: what they print natively is what they must print in each guest.
TEST_EXTENSIONS += .c
C_LOG_COMPILER = $(SHELL) $(srcdir)/tests/linux/run.sh
AM_TESTS_ENVIRONMENT += CALQUE='$(abs_top_builddir)/calque'; export CALQUE; \
	CALQUE_CACHE_DIR='$(abs_top_builddir)/test-store'; export CALQUE_CACHE_DIR;
TESTS += $(LINUX_TESTS)
# How many results the last `make check` compared with native ones.
.PHONY: check-count
check-count:
	@cat %D%/*.log | awk '/ results$$/ { n += $$2; p++ } END { print n " results of " p " programs" }'
EXTRA_DIST += $(LINUX_TESTS) %D%/run.sh %D%/test.h
