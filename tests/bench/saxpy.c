/* class: simd; single-precision vectors, vectorised by the compiler; flags: -O3 -ffp-contract=off; args: 60000 */
#include <stdio.h>
#include <stdlib.h>
enum { N = 4096 };
static float x[N], y[N], z[N];
int main(int c, char **v) {
    for (int i = 0; i < N; i++) x[i] = i * .5f, y[i] = N - i;
    for (int r = atoi(v[1]); r--;) { float a = 1.0f / (r + 1); for (int i = 0; i < N; i++) z[i] = a * x[i] + y[i] * .25f; for (int i = 0; i < N; i++) y[i] = z[i] > 100.0f ? z[i] * .5f : z[i]; }
    double s = 0; for (int i = 0; i < N; i++) s += z[i]; printf("%.3f\n", s); return 0;
}
