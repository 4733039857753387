if HOST_X86_64
libtranslator_a_SOURCES += %D%/target.h %D%/encode.h %D%/emit-state.h %D%/compile.h %D%/fault.h \
	%D%/fp-control.h %D%/encode.c %D%/features.c %D%/emit-unit.c %D%/flags.c %D%/exits.c \
	%D%/select-integer.c %D%/select-memory.c %D%/select-atomic.c %D%/select-call.c \
	%D%/select-fp-none.c %D%/stubs.c %D%/fault.c %D%/backend.c
endif
