if HOST_X86_64
libtranslator_a_SOURCES += %D%/target.h %D%/encode.h
endif
