# Debian systems from nothing: gigabytes from a mirror, so not in `make check`.
.PHONY: check-bootstrap
check-bootstrap: calque calque-binfmt
	CALQUE=./calque $(srcdir)/%D%/run.sh $(METHODS)
EXTRA_DIST += %D%/run.sh %D%/packages %D%/inside.sh
