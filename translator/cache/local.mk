libtranslator_a_SOURCES += %D%/unit.h %D%/code-buffer.h %D%/code-buffer.c
