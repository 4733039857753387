LINUX_USER_SOURCES += %D%/location.h %D%/location.c %D%/warm.h %D%/warm.c

bin_PROGRAMS += calque-cache
calque_cache_SOURCES = %D%/location.h %D%/location.c %D%/tool.c
calque_cache_LDADD = $(TRANSLATOR_LIBS)
dist_man_MANS += man/calque-cache.1
