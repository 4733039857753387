# Csmith's random programs in every tier; `make check` takes a few, `make check-csmith` goes on from
# CSMITH_SEED for CSMITH_SECONDS and keeps what fails.
TESTS += %D%/csmith-sample.sh
EXTRA_DIST += %D%/csmith.py %D%/csmith-sample.sh
.PHONY: check-csmith
check-csmith: calque
	$(PYTHON) $(srcdir)/tests/csmith/csmith.py --calque ./calque --seed $${CSMITH_SEED:-1000} \
		--seconds $${CSMITH_SECONDS:-600} --keep csmith-failed
