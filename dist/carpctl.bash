# bash completion for carpctl(8)

# Group names are the first column of the table that `carpctl status` prints.
_carpctl_groups() {
	carpctl -t 1 status 2>/dev/null |
		awk 'table && NF == 0 { exit } table { print $1 } /^GROUP / { table = 1 }'
}

_carpctl_reasons() {
	carpctl -t 1 -j status 2>/dev/null |
		grep -o '"demotions": *\[[^]]*\]' | grep -o '"name": *"[^" ]*"' | cut -d '"' -f 4
}

_carpctl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word="" i
	local words="status show log demote undemote maintenance handover reload key version help"
	local options="-j --json -s --socket -t --timeout -h --help -V --version"

	COMPREPLY=()
	case $previous in
	-s | --socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	-t | --timeout | -n)
		return
		;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-s | --socket | -t | --timeout | -n) ((i++)) ;;
		-*) ;;
		*)
			word=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	if [[ $current == -* ]]; then
		[[ $word == log ]] && options="-n $options"
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
		return
	fi
	case $word in
	"") mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current") ;;
	show | handover) mapfile -t COMPREPLY < <(compgen -W "$(_carpctl_groups)" -- "$current") ;;
	undemote) mapfile -t COMPREPLY < <(compgen -W "$(_carpctl_reasons)" -- "$current") ;;
	maintenance) mapfile -t COMPREPLY < <(compgen -W "on off" -- "$current") ;;
	key) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
	esac
}

complete -F _carpctl carpctl
