# gcc.c-torture/execute: `make check` takes a sample, `make check-torture` all of it.
TESTS += tests/torture/torture-sample.sh
EXTRA_DIST += %D%/torture.py %D%/torture-sample.sh
.PHONY: check-torture
check-torture: calque
	$(PYTHON) $(srcdir)/tests/torture/torture.py --calque ./calque
