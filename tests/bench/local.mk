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

# Debian's programs in the roots, and what a build does all day: `make bench-workloads`, with
# WORKLOAD_ROOTS=FOLDER for those that have more packages, WORKLOADS=REGEX, QEMU=FILE (with %s for
# the guest).
WORKLOAD_ROOTS = roots
.PHONY: bench-workloads
bench-workloads: calque
	$(PYTHON) $(srcdir)/tests/bench/workloads.py --calque ./calque --roots $(WORKLOAD_ROOTS) \
	  $(if $(WORKLOADS),--match '$(WORKLOADS)') $(if $(QEMU),--qemu $(QEMU))
EXTRA_DIST += %D%/workloads.py %D%/debian_data.py

# What processes that do nothing cost in memory; QEMU=FILE (with %s for the guest).
.PHONY: bench-memory
bench-memory: calque
	$(PYTHON) $(srcdir)/tests/bench/memory.py --calque ./calque \
	  $(if $(QEMU),--qemu $(QEMU))
EXTRA_DIST += %D%/memory.py

# Peak memory of big programs in the roots beside native ones; PROGRAMS=REGEX.
.PHONY: bench-memory-big
bench-memory-big: calque
	$(PYTHON) $(srcdir)/tests/bench/memory-big.py --calque ./calque --roots $(WORKLOAD_ROOTS) \
	  $(if $(PROGRAMS),--match '$(PROGRAMS)')
EXTRA_DIST += %D%/memory-big.py

# Two threads on two cores; QEMU=FILE (with %s for the guest).
.PHONY: bench-scaling
bench-scaling: calque
	$(PYTHON) $(srcdir)/tests/bench/scaling.py --calque ./calque --rounds $(ROUNDS) \
	  $(if $(QEMU),--qemu $(QEMU))
EXTRA_DIST += %D%/scaling.py %D%/scaling/scaling.c
