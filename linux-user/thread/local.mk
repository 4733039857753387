LINUX_USER_SOURCES += %D%/thread.h %D%/thread.c %D%/loop.c
