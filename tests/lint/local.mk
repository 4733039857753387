EXTRA_DIST += %D%/lint.py %D%/lint.sh
TESTS += tests/lint/lint.sh
.PHONY: lint
lint:
	$(PYTHON) $(srcdir)/tests/lint/lint.py $(srcdir)
