# gcc.c-torture/execute: `make check` takes a sample, `make check-torture` all of it.
TESTS += tests/torture/torture-sample.sh
EXTRA_DIST += %D%/torture.py %D%/torture-sample.sh
.PHONY: check-torture check-gcc
check-torture: calque
	$(PYTHON) $(srcdir)/tests/torture/torture.py --calque ./calque
# And of gcc's other suites what runs: vectorized loops, OpenMP, NEON's intrinsics.
check-gcc: calque
	$(PYTHON) $(srcdir)/tests/torture/torture.py --calque ./calque --suite all
