libtranslator_a_SOURCES += %D%/region.h %D%/discover.c %D%/layout.c %D%/lift.c
