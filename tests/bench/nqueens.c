/* class: int; n queens by backtracking over bit sets; args: 12 */
#include <stdio.h>
#include <stdlib.h>
static unsigned all;
static long solve(unsigned c, unsigned l, unsigned r) { long n = 0; if (c == all) return 1; for (unsigned p = all & ~(c | l | r); p;) { unsigned b = p & -p; p -= b; n += solve(c | b, (l | b) << 1, (r | b) >> 1); } return n; }
int main(int c, char **v) { long t = 0; all = (1u << atoi(v[1])) - 1; for (int i = 0; i < 6; i++) t += solve(0, 0, 0); printf("%ld\n", t); return 0; }
