/* class: fp; sin, exp, log, pow of the C library; args: 2500000 */
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
int main(int c, char **v) { double s = 0; int n = atoi(v[1]); for (int i = 1; i <= n; i++) { double x = i * 1e-3; s += sin(x) + exp(-x * 1e-3) + log(x) + pow(x, .3) + atan(x); } printf("%.6f\n", s); return 0; }
