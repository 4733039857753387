/* The code of the operation `scan`: see scan.S. */
#ifndef TRANSLATOR_HOST_X86_64_SCAN_H
#define TRANSLATOR_HOST_X86_64_SCAN_H

#include <stdint.h>

/* Not C functions: scan.S says what they take. */
#define SCAN_FNS(width) \
    void scan##width##_differs(void); \
    void scan##width##_differs2(void); \
    void scan##width##_differs4(void); \
    void scan##width##_equal(void); \
    void scan##width##_equal_nz(void);
SCAN_FNS(128)
SCAN_FNS(256)
SCAN_FNS(512)
#undef SCAN_FNS

extern const uint8_t scan_start[], scan256_start[], scan_end[], scan_stop[], scan256_stop[];

#endif
