libtranslator_a_SOURCES += %D%/regalloc.h %D%/state.h %D%/prepare.c %D%/regalloc.c %D%/value.c \
	%D%/region.h %D%/region-live.c %D%/region-place.c %D%/region-edge.c %D%/return.c
