# Debian's own programs in chroots: `make roots` fetches them into the build tree.
TEST_EXTENSIONS += .prog
PROG_LOG_COMPILER = $(srcdir)/tests/programs/run.sh
AM_TESTS_ENVIRONMENT += ROOTS='$(abs_top_builddir)/roots'; export ROOTS;
TESTS += $(PROGRAM_TESTS)
EXTRA_DIST += $(PROGRAM_TESTS) %D%/run.sh %D%/in-root.sh %D%/fetch-root.sh %D%/packages

.PHONY: roots
roots:
	for x in arm64:bookworm riscv64:trixie amd64:bookworm amd64:trixie; do \
	  $(srcdir)/tests/programs/fetch-root.sh $(if $(MIRROR),--mirror $(MIRROR)) \
	    $${x%:*} $${x#*:} roots/$${x%:*}-$${x#*:} $$(cat $(srcdir)/tests/programs/packages) || exit 1; \
	done

.PHONY: demo
demo: calque
	$(srcdir)/tests/programs/demo.sh ./calque
EXTRA_DIST += %D%/demo.sh
