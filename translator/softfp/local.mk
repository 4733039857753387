libtranslator_a_SOURCES += %D%/fpref.h %D%/fpref.c %D%/softfp.h %D%/pack.c %D%/arith.c %D%/convert.c \
	%D%/vecref.h %D%/vecref.c %D%/vecref-aes.c %D%/vecref-sha.c
