libtranslator_a_SOURCES += %D%/disas.h %D%/disas.c %D%/log.c %D%/perf-map.h %D%/perf-map.c
