# Host instructions for small guest loops; `make codegen-golden` takes them as they are now.
TESTS += %D%/codegen.sh
EXTRA_DIST += %D%/codegen.sh %D%/codegen.py %D%/aarch64.S %D%/riscv64.S %D%/aarch64.golden \
	%D%/riscv64.golden
.PHONY: codegen-golden
codegen-golden: calque
	$(PYTHON) $(srcdir)/tests/codegen/codegen.py --calque ./calque --update
