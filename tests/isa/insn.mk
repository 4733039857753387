check_PROGRAMS += decode-test insn-test
decode_test_SOURCES = %D%/decode-test.c %D%/tables.c %D%/tables.h
nodist_decode_test_SOURCES = translator/guest/riscv64/rv-rows.c translator/guest/aarch64/a64-rows.c
decode_test_LDADD = $(TRANSLATOR_LIBS)

insn_test_SOURCES = %D%/insn-test.c %D%/values.c %D%/tables.c %D%/profile-riscv64.c %D%/profile.h \
	%D%/record.h %D%/tables.h
nodist_insn_test_SOURCES = translator/guest/riscv64/rv-rows.c translator/guest/aarch64/a64-rows.c
insn_test_LDADD = $(TRANSLATOR_LIBS)

EXTRA_DIST += %D%/oracle.c %D%/insn-test.sh %D%/run-riscv64.sh %D%/riscv64
TESTS += decode-test %D%/insn-test.sh %D%/run-riscv64.sh

# The program that runs fragments in another emulator.
if HAVE_RISCV64_CC
check_DATA += %D%/oracle-riscv64
endif
%D%/oracle-riscv64: %D%/oracle.c %D%/record.h
	$(AM_V_GEN)$(MKDIR_P) %D% && $(RISCV64_CC) -O2 -static -o $@ $(srcdir)/%D%/oracle.c
CLEANFILES += %D%/oracle-riscv64
