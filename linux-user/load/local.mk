LINUX_USER_SOURCES += %D%/load.h %D%/head.c %D%/elf.c %D%/program.c %D%/stack.c %D%/random.h \
	%D%/random.c %D%/prefix.h %D%/prefix.c %D%/origin.h %D%/origin.c \
	%D%/check.c
