LINUX_USER_SOURCES += %D%/bpf.h %D%/bpf.c %D%/seccomp.h %D%/filter.c %D%/notify.c \
	%D%/user-dispatch.h %D%/user-dispatch.c
