riscv64_decode = %D%/rv64i.decode %D%/rv64ma.decode %D%/rv64b.decode %D%/rv64f.decode \
	%D%/rv64c.decode %D%/rv64k.decode
riscv64_decode_out = %D%/rv-decode.h %D%/rv-decode.c %D%/rv-rows.c %D%/rv-decode.json

libtranslator_a_SOURCES += %D%/cpu.h %D%/lift.h %D%/model.h %D%/isa.c %D%/model.c \
	%D%/helper-system.c %D%/translate-integer.c %D%/translate-branch.c %D%/translate-memory.c \
	%D%/translate-atomic.c %D%/translate-bitmanip.c %D%/translate-float.c \
	%D%/translate-system.c %D%/translate-crypto.c
nodist_libtranslator_a_SOURCES += %D%/rv-decode.c %D%/rv-decode.h
BUILT_SOURCES += %D%/rv-decode.h
CLEANFILES += $(riscv64_decode_out)
EXTRA_DIST += $(riscv64_decode) %D%/README.md

%D%/rv-decode.h: $(riscv64_decode) $(DECODEGEN_DEPS)
	$(AM_V_GEN)$(MKDIR_P) %D% && $(DECODEGEN) -o %D% --name rv \
		--include translator/guest/riscv64/lift.h $(riscv64_decode:%=$(srcdir)/%)
%D%/rv-decode.c %D%/rv-rows.c %D%/rv-decode.json: %D%/rv-decode.h

%D%/isa.$(OBJEXT) %D%/translate-integer.$(OBJEXT) %D%/translate-branch.$(OBJEXT) \
%D%/translate-memory.$(OBJEXT) %D%/translate-atomic.$(OBJEXT) %D%/translate-bitmanip.$(OBJEXT) \
%D%/translate-float.$(OBJEXT) %D%/translate-system.$(OBJEXT) %D%/translate-crypto.$(OBJEXT): %D%/rv-decode.h
