libsyscalls_a_SOURCES += %D%/dispatch.h %D%/dispatch.c %D%/convert.h %D%/convert.c \
	%D%/hidden.h %D%/hidden.c %D%/file.c %D%/desc.c %D%/ids.c %D%/ipc.c %D%/arch.c
