libtranslator_a_SOURCES += %D%/vcpu.h %D%/state.h
