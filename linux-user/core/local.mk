LINUX_USER_SOURCES += %D%/core.h %D%/core.c %D%/pattern.h %D%/pattern.c %D%/memory.h %D%/memory.c
