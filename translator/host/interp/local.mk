libtranslator_a_SOURCES += %D%/interp.h %D%/interp.c %D%/exec.c %D%/eval-int.c %D%/memory.c %D%/call.c
