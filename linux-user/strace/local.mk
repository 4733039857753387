libsyscalls_a_SOURCES += %D%/strace.h %D%/strace.c %D%/print.h %D%/print.c %D%/text.h %D%/text.c \
	%D%/ready.c %D%/sockets.c %D%/special.c
