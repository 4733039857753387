LINUX_USER_SOURCES += %D%/gdbstub.h %D%/gdbstub.c %D%/packet.h %D%/packet.c %D%/target.h \
	%D%/target.c %D%/inferior.h %D%/inferior.c
