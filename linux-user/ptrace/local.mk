LINUX_USER_SOURCES += %D%/block.h %D%/ptrace.h %D%/tracee.c %D%/tracer.c %D%/tracer.h %D%/request.c \
	%D%/written.c
