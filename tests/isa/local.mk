include %D%/fuzz.mk
