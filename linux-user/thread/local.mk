LINUX_USER_SOURCES += %D%/thread.h %D%/thread.c %D%/shared.c %D%/loop.c
