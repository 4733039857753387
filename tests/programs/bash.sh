# bash: arrays, arithmetic, traps, process substitution, here documents, job control, regular expressions.
exec bash << 'SCRIPT'
declare -A count
for w in the quick brown fox jumps over the lazy dog the end; do ((count[$w]++)); done
for k in "${!count[@]}"; do echo "$k ${count[$k]}"; done | sort
fib() { (( $1 < 2 )) && echo $1 || echo $(( $(fib $(($1 - 1))) + $(fib $(($1 - 2))) )); }
fib 9
trap 'echo trapped USR1' USR1; kill -USR1 $$
trap 'echo leaving' EXIT
diff <(seq 1 5) <(seq 1 6)
(exit 7); echo "status $?"
sleep 0.05 & sleep 0.01 & wait; echo "waited $?"
[[ "key=value" =~ ^([a-z]+)=([a-z]+)$ ]] && echo "${BASH_REMATCH[2]} ${BASH_REMATCH[1]}"
printf '%s\n' {1..3}{a,b} | paste -sd' '
x=$(cat << E
here $((0x10 + 010))
E
); echo "$x"
echo "${x^^} ${x/here/there} ${#x}"
no-such-command-here 2>/dev/null; echo $?
sh -c 'kill -SEGV $$'; echo "killed: $?"
ulimit -n; type -t cd; echo $BASH_VERSION
mapfile -t lines < <(printf 'a\nb\nc\n'); echo "${#lines[@]} ${lines[2]}"
coproc cat; echo through >&"${COPROC[1]}"; read -r l <&"${COPROC[0]}"; echo "$l"
SCRIPT
