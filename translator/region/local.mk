libtranslator_a_SOURCES += %D%/region.h %D%/discover.c %D%/inline.c %D%/layout.c %D%/lift.c \
	%D%/lift-end.c
