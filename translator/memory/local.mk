libtranslator_a_SOURCES += %D%/own-pages.h %D%/own-pages.c %D%/shared-lock.h %D%/shared-lock.c
