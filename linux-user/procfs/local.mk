LINUX_USER_SOURCES += %D%/procfs.h %D%/procfs.c %D%/output.h %D%/output.c %D%/maps.h %D%/maps.c \
	%D%/other.h %D%/other.c %D%/status.h %D%/status.c %D%/list.h %D%/list.c \
	%D%/path.h %D%/path.c %D%/reread.h %D%/reread.c
