libsyscalls_a_SOURCES += %D%/ioctl.h %D%/ioctl.c
