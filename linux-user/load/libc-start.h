/*
 * What the start of a static program does for programs that aren't this one. libc-start.py keeps
 * the C library from asking for the processor, the linker's --wrap from the rest: where this file
 * is, for libraries to be loaded from beside it, where its unwind tables are, for exceptions, and
 * what the environment says of its parameters.
 */
#ifndef CALQUE_LOAD_LIBC_START_H
#define CALQUE_LOAD_LIBC_START_H

/* Sets from which size on copies go past the caches. First thing in main(). */
void libc_start_set_caches(void);

/* In the places of the C library's and libgcc's. */
const char *__wrap__dl_get_origin(void);
void __wrap___tunables_init(char **environment);
void __wrap___register_frame_info(const void *begin, void *object);
void *__wrap___deregister_frame_info(const void *begin);

#endif
