a64_decode =
a64_sources =

a64_sources += %D%/isa.c %D%/features.c %D%/translate.c %D%/flags-dead.c %D%/helper-system.c
a64_decode += %D%/dp-imm.decode %D%/dp-reg.decode %D%/branch.decode %D%/ldst.decode %D%/atomic.decode
a64_sources += %D%/translate-dp-imm.c %D%/translate-dp-reg.c %D%/translate-branch.c \
	%D%/translate-system.c %D%/translate-pauth.c %D%/translate-ldst.c %D%/translate-atomic.c

# floating point and Advanced SIMD; three-same comes before the files that use its argument sets
a64_decode += %D%/fp.decode %D%/simd-three-same.decode %D%/simd-three-diff.decode \
	%D%/simd-two-misc.decode %D%/simd-shift-imm.decode %D%/simd-imm.decode \
	%D%/simd-indexed.decode %D%/simd-permute.decode %D%/crypto.decode %D%/simd-ldst.decode %D%/sve.decode
a64_sources += %D%/simd.c %D%/translate-fp.c %D%/translate-simd-three-same.c \
	%D%/translate-simd-three-diff.c %D%/translate-simd-two-misc.c %D%/translate-simd-across.c \
	%D%/translate-simd-shift-imm.c %D%/translate-simd-imm.c %D%/translate-simd-indexed.c \
	%D%/translate-simd-permute.c %D%/translate-simd-ldst.c %D%/translate-crypto.c \
	%D%/translate-sm.c \
	%D%/helper-float.c %D%/helper-vector.c

a64_decode_out = %D%/a64-decode.h %D%/a64-decode.c %D%/a64-rows.c %D%/a64-decode.json
libtranslator_a_SOURCES += $(a64_sources) %D%/cpu.h %D%/features.h %D%/helpers.h %D%/helpers.def \
	%D%/translate.h %D%/pauth.h %D%/simd.h %D%/lanes.h
nodist_libtranslator_a_SOURCES += %D%/a64-decode.c %D%/a64-decode.h
BUILT_SOURCES += %D%/a64-decode.h
CLEANFILES += $(a64_decode_out)
EXTRA_DIST += $(a64_decode) %D%/README.md
%D%/a64-decode.h: $(a64_decode) $(DECODEGEN_DEPS)
	$(AM_V_GEN)$(MKDIR_P) %D% && $(DECODEGEN) -o %D% --name a64 \
		--include translator/guest/aarch64/simd.h $(a64_decode:%=$(srcdir)/%)
%D%/a64-decode.c %D%/a64-rows.c %D%/a64-decode.json: %D%/a64-decode.h
$(a64_sources:.c=.$(OBJEXT)): %D%/a64-decode.h
