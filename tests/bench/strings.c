/* class: simd; the C library's string functions: strlen, strchr, memcmp, strcmp, memchr; args: 500000 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int c, char **v) {
    static char a[8192], b[8192]; memset(a, 'x', 8000); memcpy(b, a, 8192); a[4000] = b[4000] = 'y'; size_t s = 0;
    for (int r = atoi(v[1]); r--;) { a[r & 1023] = b[r & 1023] = 'x'; s += strlen(a + (r & 63)); s += strchr(a, 'y') - a; s += memcmp(a, b, 8000); s += strcmp(a, b); s += (char *)memchr(b, 'y', 8000) - b; s += strlen(b + 7900 + (r & 15)); }
    printf("%zu\n", s); return 0;
}
