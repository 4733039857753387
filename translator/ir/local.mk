libtranslator_a_SOURCES += %D%/ir.h %D%/ops.def %D%/info.c
