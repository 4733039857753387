/* class: int; quicksort and binary search with comparison calls; args: 12 */
#include <stdio.h>
#include <stdlib.h>
static int cmp(const void *a, const void *b) { int x = *(const int *)a, y = *(const int *)b; return x < y ? -1 : x > y; }
static void sort(int *v, int n, int (*f)(const void *, const void *)) {
    while (n > 8) {
        int p = v[n / 2], i = 0, j = n - 1;
        while (i <= j) { while (f(&v[i], &p) < 0) i++; while (f(&v[j], &p) > 0) j--; if (i <= j) { int t = v[i]; v[i++] = v[j]; v[j--] = t; } }
        if (j < n - i) { sort(v, j + 1, f); v += i; n -= i; } else { sort(v + i, n - i, f); n = j + 1; }
    }
    for (int i = 1; i < n; i++) { int x = v[i], j = i; while (j && f(&v[j - 1], &x) > 0) { v[j] = v[j - 1]; j--; } v[j] = x; }
}
int main(int c, char **a) {
    enum { N = 500000 }; static int v[N]; unsigned s = 1, sum = 0;
    for (int r = atoi(a[1]); r--;) { for (int i = 0; i < N; i++) v[i] = (s = s * 1664525 + 1013904223) >> 4; sort(v, N, cmp); for (int i = 0; i < N; i += 1000) sum += v[i]; }
    printf("%u\n", sum); return 0;
}
