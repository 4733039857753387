# dash: functions, globbing, redirections, command substitution, signals.
exec dash -e << 'SCRIPT'
cd /tmp; mkdir d; cd d
touch one two three; echo *; echo t*
f() { local x=$1; [ "$x" -le 1 ] && { echo 1; return; }; echo $((x * $(f $((x - 1))))); }
f 10
exec 3> out; echo to three >&3; exec 3>&-; cat out
set -- a 'b c' d; for x; do echo "<$x>"; done; shift 2; echo $#
case foo.tar.gz in *.gz) echo gz ;; esac
trap 'echo int' INT; kill -INT $$; echo after
echo $(( 7 / 2 )) $(( -7 % 3 )) $(( 1 << 40 )); umask; pwd
i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i + 1)); done; echo $i
SCRIPT
