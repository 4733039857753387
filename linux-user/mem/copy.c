/* data plane */
/*
 * Copies to and from guest memory: a fault ends them (signal/host-x86_64.S).
 */
#include <errno.h>

#include "linux-user/mem/copy.h"
#include "linux-user/mem/map.h"

bool mem_read(void *dst, GuestAddr src, size_t n)
{
    return mem_copy_asm(dst, mem_host(src), n) == 0;
}

bool mem_write(GuestAddr dst, const void *src, size_t n)
{
    return mem_copy_asm(mem_host(dst), src, n) == 0;
}

bool mem_clear(GuestAddr dst, size_t n)
{
    return mem_clear_asm(mem_host(dst), n) == 0;
}

long mem_read_string(char *dst, GuestAddr src, size_t size)
{
    long n = mem_string_asm(dst, mem_host(src), size);
    if (n < 0)
        return -EFAULT;
    return (size_t)n == size ? -ENAMETOOLONG : n;
}

long mem_string_length(GuestAddr src, size_t max)
{
    long n = mem_string_asm(NULL, mem_host(src), max);
    if (n < 0)
        return -EFAULT;
    return (size_t)n == max ? -ENAMETOOLONG : n;
}

bool mem_word_cas(GuestAddr at, uint32_t *expected, uint32_t desired)
{
    return mem_word_cas_asm(mem_host(at), expected, desired) == 0;
}
