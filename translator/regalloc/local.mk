libtranslator_a_SOURCES += %D%/regalloc.h %D%/state.h %D%/regalloc.c
