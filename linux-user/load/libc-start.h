/*
 * What libc-start.py keeps the C library from asking the processor for.
 */
#ifndef CALQUE_LOAD_LIBC_START_H
#define CALQUE_LOAD_LIBC_START_H

/* Sets from which size on copies go past the caches. First thing in main(). */
void libc_start_set_caches(void);

#endif
