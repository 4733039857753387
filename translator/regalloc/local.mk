libtranslator_a_SOURCES += %D%/regalloc.h
