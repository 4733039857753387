LINUX_USER_SOURCES += %D%/location.h %D%/location.c
