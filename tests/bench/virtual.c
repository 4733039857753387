/* class: int; calls through function pointers of objects; args: 60000000 */
#include <stdio.h>
#include <stdlib.h>
typedef struct Shape { long (*area)(const struct Shape *); long a, b; } Shape;
static long sq(const Shape *s) { return s->a * s->a; }
static long rect(const Shape *s) { return s->a * s->b; }
static long tri(const Shape *s) { return s->a * s->b / 2; }
static long line(const Shape *s) { return s->a + s->b; }
int main(int c, char **v) {
    static long (*const f[])(const Shape *) = { sq, rect, tri, line }; static Shape s[1024]; long n = atol(v[1]), sum = 0; unsigned x = 7;
    for (int i = 0; i < 1024; i++) { x = x * 1664525 + 1013904223; s[i] = (Shape){ f[x >> 30], i, i + 3 }; }
    for (long i = 0; i < n; i++) sum += s[i & 1023].area(&s[i & 1023]);
    printf("%ld\n", sum); return 0;
}
