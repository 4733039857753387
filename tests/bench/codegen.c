/* class: start; much code that runs once: 2,000 functions; args: */
#include <stdio.h>
#define F(n) __attribute__((noinline)) static unsigned f##n(unsigned x) { x ^= n * 2654435761u; if (x & 1) x += n; x = x * 3 + (x >> 7); if (x & 4) x ^= 0x55 + n; return x; }
#define F10(n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7) F(n##8) F(n##9)
#define F100(n) F10(n##0) F10(n##1) F10(n##2) F10(n##3) F10(n##4) F10(n##5) F10(n##6) F10(n##7) F10(n##8) F10(n##9)
F100(1) F100(2) F100(3) F100(4) F100(5) F100(6) F100(7) F100(8) F100(9) F100(10) F100(11) F100(12) F100(13) F100(14) F100(15) F100(16) F100(17) F100(18) F100(19) F100(20)
#define C(n) x = f##n(x);
#define C10(n) C(n##0) C(n##1) C(n##2) C(n##3) C(n##4) C(n##5) C(n##6) C(n##7) C(n##8) C(n##9)
#define C100(n) C10(n##0) C10(n##1) C10(n##2) C10(n##3) C10(n##4) C10(n##5) C10(n##6) C10(n##7) C10(n##8) C10(n##9)
int main(void) { unsigned x = 1; C100(1) C100(2) C100(3) C100(4) C100(5) C100(6) C100(7) C100(8) C100(9) C100(10) C100(11) C100(12) C100(13) C100(14) C100(15) C100(16) C100(17) C100(18) C100(19) C100(20) printf("%u\n", x); return 0; }
