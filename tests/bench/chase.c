/* class: memory; a walk over a linked list that doesn't fit the cache; args: 4000000 */
#include <stdio.h>
#include <stdlib.h>
enum { N = 1 << 20 };
static unsigned next[N];
int main(int c, char **v) { unsigned s = 1; for (unsigned i = 0; i < N; i++) next[i] = i; for (unsigned i = N - 1; i; i--) { s = s * 1664525 + 1013904223; unsigned j = s % i, t = next[i]; next[i] = next[j]; next[j] = t; } unsigned p = 0; for (int n = atoi(v[1]); n--;) p = next[p]; printf("%u\n", p); return 0; }
