/* class: fp; planets: scalar double arithmetic with square roots; flags: -ffp-contract=off; args: 3000000 */
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
typedef struct { double x[3], v[3], m; } Body;
static Body b[5] = { {{0,0,0},{0,0,0},39.5}, {{4.84,-1.16,-.10},{.606,2.81,-.02},.037}, {{8.34,4.12,-.4},{-1.01,1.82,.008},.011}, {{12.89,-15.11,-.22},{1.08,.868,-.01},.0017}, {{15.37,-25.9,.179},{.979,.594,-.034},.002} };
int main(int c, char **v) {
    for (int n = atoi(v[1]); n--;) {
        for (int i = 0; i < 5; i++) for (int j = i + 1; j < 5; j++) {
            double d[3], s = 0; for (int k = 0; k < 3; k++) d[k] = b[i].x[k] - b[j].x[k], s += d[k] * d[k];
            double mag = 0.001 / (s * sqrt(s)); for (int k = 0; k < 3; k++) b[i].v[k] -= d[k] * b[j].m * mag, b[j].v[k] += d[k] * b[i].m * mag;
        }
        for (int i = 0; i < 5; i++) for (int k = 0; k < 3; k++) b[i].x[k] += 0.001 * b[i].v[k];
    }
    printf("%.6f\n", b[0].x[0]); return 0;
}
