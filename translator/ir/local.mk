libtranslator_a_SOURCES += \
	%D%/ir.h %D%/ops.def %D%/info.c %D%/arena.h %D%/arena.c %D%/builder.c \
	%D%/attrs.h %D%/attrs.c %D%/print.c %D%/parse.c %D%/verify.c
EXTRA_DIST += %D%/README.md
