#compdef carpctl

_carpctl_groups() {
	local -a groups
	groups=(${(f)"$(carpctl -t 1 status 2>/dev/null |
		awk 'table && NF == 0 { exit } table { print $1 } /^GROUP / { table = 1 }')"})
	compadd -a groups
}

_carpctl_words() {
	local -a words
	words=(
		'status:who is master of what, and what is wrong'
		'show:everything about one group'
		'log:the last transitions and their causes'
		'demote:make this host less wanted'
		'undemote:take a reason back'
		'maintenance:hand all groups over and stay away'
		'handover:let another host take over'
		'reload:read the configuration file again'
		'key:make a key file for sealed adverts'
		'version:versions of carpctl and carpd'
		'help:summary of words and options'
	)
	_describe word words
}

_carpctl_arguments() {
	case $words[1] in
	show | handover) _carpctl_groups ;;
	maintenance) compadd on off ;;
	key) _files ;;
	esac
}

_arguments \
	'(-j --json)'{-j,--json}'[the answer as one line of JSON]' \
	'(-s --socket)'{-s,--socket}'[where carpd listens]:socket:_files' \
	'(-t --timeout)'{-t,--timeout}'[how long to wait]:seconds' \
	'-n[how many entries of the log]:count' \
	'(- *)'{-h,--help}'[summary of words and options]' \
	'(- *)'{-V,--version}'[version of carpctl]' \
	'1:word:_carpctl_words' \
	'*::argument:_carpctl_arguments'
