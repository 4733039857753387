libtranslator_a_SOURCES += %D%/vcpu.h %D%/state.h %D%/runtime.h %D%/unit-table.h %D%/unit-table.c \
	%D%/translator.c %D%/guests.c %D%/vcpu.c %D%/dispatch.c %D%/jump-cache.c \
	%D%/translate.c %D%/invalidate.c \
	%D%/tier.c %D%/tier-source.h %D%/tier-source.c %D%/branch-profile.h %D%/branch-profile.c \
	%D%/critical.h %D%/critical.c %D%/dump.c %D%/stored.h %D%/stored-state.h %D%/stored.c \
	%D%/stored-expose.c %D%/stored-save.c %D%/warm.c \
	%D%/fork-notes.h %D%/fork-notes.c
