libtranslator_a_SOURCES += %D%/regalloc.h %D%/state.h %D%/prepare.c %D%/regalloc.c
