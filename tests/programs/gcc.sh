# gcc: cc1, as and ld compile a program inside; it runs.
set -e
cd /tmp; cat > p.c << 'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
static int cmp(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(void) {
    int v[1000]; unsigned s = 12345; double x = 0;
    for (int i = 0; i < 1000; i++) { s = s * 1103515245 + 12345; v[i] = s >> 8 & 0xffff; x += sqrt(v[i]) * sin(i); }
    qsort(v, 1000, sizeof *v, cmp); printf("%d %d %d %.9f\n", v[0], v[500], v[999], x);
    char b[64]; snprintf(b, sizeof b, "%s-%zu", "made by gcc", strlen("inside")); puts(b); return 42;
}
C
for o in -O0 -O2; do gcc $o -Wall -o p p.c -lm; st=0; ./p || st=$?; echo "$o exit $st"; done
gcc -O2 -static -o s p.c -lm; ./s || echo "static exit $?"
echo 'int f(int x){return x+;}' > e.c; gcc -c e.c 2>&1 | head -3; gcc -E -dM - < /dev/null | grep -c define > /dev/null; gcc -O2 -S -o - p.c | grep -c ret > /dev/null; echo done
