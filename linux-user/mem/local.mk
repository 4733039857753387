LINUX_USER_SOURCES += %D%/map.h %D%/map.c %D%/place.c %D%/pages.c %D%/limits.c %D%/table.h %D%/table.c %D%/copy.h %D%/copy.c
