LINUX_USER_SOURCES += %D%/vdso.h %D%/vdso.c
nodist_calque_SOURCES = %D%/vdso-aarch64.c %D%/vdso-riscv64.c
CLEANFILES += $(nodist_calque_SOURCES)
EXTRA_DIST += %D%/README.md %D%/vdsogen.py %D%/words.py %D%/aarch64.S %D%/riscv64.S \
	%D%/aarch64.words %D%/riscv64.words
VDSOGEN = $(PYTHON) $(srcdir)/%D%/vdsogen.py
%D%/vdso-aarch64.c: %D%/aarch64.words %D%/vdsogen.py
	$(AM_V_GEN)$(MKDIR_P) %D% && $(VDSOGEN) aarch64 $(srcdir)/%D%/aarch64.words > $@.tmp && mv $@.tmp $@
%D%/vdso-riscv64.c: %D%/riscv64.words %D%/vdsogen.py
	$(AM_V_GEN)$(MKDIR_P) %D% && $(VDSOGEN) riscv64 $(srcdir)/%D%/riscv64.words > $@.tmp && mv $@.tmp $@
