# Debian's stress-ng, every stressor for a second natively and under the emulator: some ten minutes.
EXTRA_DIST += %D%/run
.PHONY: check-stress-ng
check-stress-ng: calque
	CALQUE=./calque $(srcdir)/tests/stress-ng/run
