# The tests of Go's standard library: `make check-go PACKAGES="runtime math/big"`.
.PHONY: check-go
check-go: calque calque-binfmt
	CALQUE='$(abs_top_builddir)/calque' ROOTS='$(abs_top_builddir)/roots' \
	    $(srcdir)/tests/go/run.sh $(PACKAGES)
EXTRA_DIST += %D%/run.sh %D%/compare.py
