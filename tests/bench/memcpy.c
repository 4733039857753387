/* class: memory; memcpy and memset of many sizes; args: 40000 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int c, char **v) { static unsigned char a[1 << 16], b[1 << 16]; unsigned s = 1; for (size_t i = 0; i < sizeof a; i++) a[i] = i; for (int r = atoi(v[1]); r--;) { for (size_t n = 1; n < sizeof a; n *= 2) { memcpy(b + (r & 31), a, n - n / 4); memset(b, r, n / 8); } s = s * 31 + b[r & 65535]; } printf("%u\n", s); return 0; }
