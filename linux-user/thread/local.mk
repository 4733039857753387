LINUX_USER_SOURCES += %D%/thread.h %D%/thread.c %D%/shared.c %D%/slot.h %D%/slot.c %D%/loop.c %D%/rseq.h %D%/rseq.c
