# Big programs in whole Debian systems: hundreds of megabytes from a mirror, so not in `make check`.
.PHONY: check-apps
check-apps: calque calque-binfmt
	CALQUE=./calque $(srcdir)/%D%/run.sh $(APPS)
EXTRA_DIST += %D%/run.sh %D%/packages %D%/goroutines.go %D%/Threads.java %D%/workers.js \
	%D%/processes.py $(APP_CASES) $(APP_OUTPUTS)
