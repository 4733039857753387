if HOST_X86_64
libtranslator_a_SOURCES += %D%/target.h %D%/encode.h %D%/emit-state.h %D%/compile.h %D%/fault.h \
	%D%/fp-control.h %D%/encode.c %D%/features.c %D%/emit-unit.c %D%/emit-region.c \
	%D%/flags.c %D%/write-back.c %D%/exits.c \
	%D%/select-integer.c %D%/select-crc.c %D%/select-memory.c %D%/select-atomic.c %D%/select-call.c \
	%D%/encode-sse.h %D%/encode-sse.c %D%/fp-site.h %D%/fp-site.c \
	%D%/select-float.h %D%/select-float.c %D%/select-convert.c %D%/select-vector.h \
	%D%/select-vector.c %D%/select-vector-arith.c %D%/select-vector-shift.c \
	%D%/select-vector-narrow.c %D%/select-vector-permute.c %D%/select-vector-crypto.c %D%/select-vector-sha.c \
	%D%/select-vector-fp.c %D%/routine.inc %D%/scan.h %D%/scan.S %D%/move.S %D%/stubs.c %D%/fault.c %D%/backend.c
endif
