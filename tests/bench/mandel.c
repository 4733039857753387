/* class: fp; Mandelbrot set, scalar double; flags: -ffp-contract=off; args: 700 */
#include <stdio.h>
#include <stdlib.h>
int main(int c, char **v) {
    int n = atoi(v[1]); long sum = 0;
    for (int j = 0; j < n; j++) for (int i = 0; i < n; i++) { double x = 0, y = 0, a = 3.0 * i / n - 2, b = 2.0 * j / n - 1; int k = 0; while (k < 200 && x * x + y * y < 4) { double t = x * x - y * y + a; y = 2 * x * y + b; x = t; k++; } sum += k; }
    printf("%ld\n", sum); return 0;
}
