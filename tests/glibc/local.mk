# glibc's own tests: `make check-glibc LIBRARY="nptl signal"`.
.PHONY: check-glibc
check-glibc: calque calque-binfmt
	CALQUE='$(abs_top_builddir)/calque' WORK='$(abs_top_builddir)/glibc' \
	    $(srcdir)/tests/glibc/run.sh $(LIBRARY)
EXTRA_DIST += %D%/run.sh
