/* class: fp; LU factorisation with pivoting; flags: -ffp-contract=off; args: 25 */
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
enum { N = 300 };
static double m[N][N];
int main(int c, char **v) {
    double det = 0; unsigned s = 5;
    for (int r = atoi(v[1]); r--;) {
        for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) m[i][j] = (s = s * 1664525 + 1013904223) / 4294967296.0 - .5;
        det = 0;
        for (int k = 0; k < N; k++) {
            int p = k; for (int i = k + 1; i < N; i++) if (fabs(m[i][k]) > fabs(m[p][k])) p = i;
            for (int j = 0; j < N; j++) { double t = m[k][j]; m[k][j] = m[p][j]; m[p][j] = t; }
            det += log(fabs(m[k][k])); for (int i = k + 1; i < N; i++) { double f = m[i][k] /= m[k][k]; for (int j = k + 1; j < N; j++) m[i][j] -= f * m[k][j]; }
        }
    }
    printf("%.9f\n", det); return 0;
}
