/* class: int; recursive calls; args: 38 */
#include <stdio.h>
#include <stdlib.h>
__attribute__((noinline)) static unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int main(int c, char **v) { printf("%u\n", fib(atoi(v[1]))); return 0; }
