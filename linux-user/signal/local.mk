LINUX_USER_SOURCES += %D%/signal.h %D%/signal.c %D%/host.h %D%/host.c %D%/host-syscall.h \
	%D%/host-syscall.c
if HOST_X86_64
LINUX_USER_SOURCES += %D%/host-x86_64.S
endif
