/* The code of the operations `scan` and `move`: see scan.S and move.S. */
#ifndef TRANSLATOR_HOST_X86_64_SCAN_H
#define TRANSLATOR_HOST_X86_64_SCAN_H

#include <stdint.h>

/* Not C functions: scan.S says what they take. */
#define SCAN_FNS(width) \
    void scan##width##_differs(void); \
    void scan##width##_differs2(void); \
    void scan##width##_differs4(void); \
    void scan##width##_range(void); \
    void scan##width##_words(void); \
    void scan##width##_equal(void); \
    void scan##width##_equal_nz(void);
SCAN_FNS(128)
SCAN_FNS(256)
SCAN_FNS(512)
#undef SCAN_FNS
void scan_word(void);

#define MOVE_FNS(width) \
    void move##width##_copy(void); \
    void move##width##_until(void); \
    void move##width##_fill(void);
MOVE_FNS(128)
MOVE_FNS(512)
#undef MOVE_FNS

extern const uint8_t scan_start[], scan256_start[], scan_end[], scan_stop[], scan256_stop[];
extern const uint8_t move_start[], move_end[], move_stop[];

#endif
