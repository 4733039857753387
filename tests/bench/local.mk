# make bench [BENCH=REGEX] [ROUNDS=N] [QEMU=FOLDER]: calque against native and qemu-user.
EXTRA_DIST += %D%/bench.py $(BENCH_FILES)
ROUNDS = 5
.PHONY: bench
bench: calque
	$(PYTHON) $(srcdir)/tests/bench/bench.py --calque ./calque --rounds $(ROUNDS) \
	  --csv bench.csv $(if $(BENCH),--match '$(BENCH)') $(if $(QEMU),--qemu '$(QEMU)')

# Each benchmark once, for its output.
TESTS += tests/bench/bench-check.sh
EXTRA_DIST += %D%/bench-check.sh
