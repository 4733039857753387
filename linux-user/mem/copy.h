/* data plane */
/*
 * The assembly behind the copying functions of map.h. Each returns -1 on a fault.
 */
#ifndef LINUX_USER_MEM_COPY_H
#define LINUX_USER_MEM_COPY_H

#include <stddef.h>
#include <stdint.h>

long mem_copy_asm(void *dst, const void *src, size_t n);
long mem_clear_asm(void *dst, size_t n);
long mem_string_asm(char *dst, const char *src, size_t size);
long mem_word_cas_asm(uint32_t *at, uint32_t *expected_and_ret, uint32_t desired);

#endif
