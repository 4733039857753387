# CPython's own tests in the Debian roots: `make check-cpython MODULES="test_os test_io"`.
.PHONY: check-cpython
check-cpython: calque
	CALQUE='$(abs_top_builddir)/calque' ROOTS='$(abs_top_builddir)/roots' \
	    $(srcdir)/tests/cpython/run.sh $(MODULES)
EXTRA_DIST += %D%/run.sh %D%/compare.py
