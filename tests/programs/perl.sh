# perl: hashes, regular expressions, sort, pack, sprintf, fork and pipe.
exec perl << 'SCRIPT'
use strict; use warnings; use List::Util qw(sum max shuffle); use POSIX qw(floor strftime); use Digest::MD5 qw(md5_hex); use Data::Dumper; $Data::Dumper::Sortkeys = 1;
my %h; $h{$_ % 17} .= chr(65 + $_ % 26) for 1 .. 2000; print "$_ ", length $h{$_}, "\n" for sort { $a <=> $b } keys %h;
my $t = join ' ', map { $_ * $_ } 1 .. 50; my @m = $t =~ /(\d*7\d*)/g; print "@m\n"; (my $u = $t) =~ s/(\d)(\d)/$2$1/g; print md5_hex($u), "\n";
printf "%.15g %e %x %b %s\n", atan2(1, 1) * 4, 1 / 3, 3735928559, 10, 2 ** 60; print sum(1 .. 1000), ' ', max(3, 9, 4), "\n";
print Dumper({ a => [1, { b => undef }], c => \'x' }); print unpack('H*', pack('NnCd>A5', 1, 2, 3, 1.5, 'hey')), "\n";
sub f { my $n = shift; $n < 2 ? $n : f($n - 1) + f($n - 2) } print f(20), "\n";
open my $p, '-|', 'echo from pipe; exit 2' or die; print <$p>; close $p; print $? >> 8, "\n"; my $pid = fork; exit 5 unless $pid; waitpid $pid, 0; print $? >> 8, "\n";
local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 5; }; print $@; print strftime('%F', gmtime 86400 * 365), "\n"; print sort { $b cmp $a } split //, 'translation'; print "\n";
my $big = 'ab' x 50000; print length($big =~ s/ba/X/gr), "\n"; print "ok\n" if 'é' =~ /\w/ || 1; print join(',', map { sprintf '%03o', $_ } 8 .. 12), "\n";
SCRIPT
