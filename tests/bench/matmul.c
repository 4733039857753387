/* class: fp; matrix product of doubles that compilers vectorise; flags: -O3 -ffp-contract=off; args: 5 */
#include <stdio.h>
#include <stdlib.h>
enum { N = 384 };
static double a[N][N], b[N][N], r[N][N];
int main(int c, char **v) {
    for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) a[i][j] = i + j, b[i][j] = i - j;
    for (int n = atoi(v[1]); n--;) { for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) r[i][j] = 0; for (int i = 0; i < N; i++) for (int k = 0; k < N; k++) for (int j = 0; j < N; j++) r[i][j] += a[i][k] * b[k][j]; a[n][n] += r[n][3] * 1e-9; }
    printf("%.6f\n", r[7][9]); return 0;
}
