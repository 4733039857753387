include %D%/fuzz.mk
include %D%/insn.mk
