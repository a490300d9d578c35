# fish completion for carpctl(8)

function __carpctl_groups
    carpctl -t 1 status 2>/dev/null |
        awk 'table && NF == 0 { exit } table { print $1 } /^GROUP / { table = 1 }'
end

complete -c carpctl -f
complete -c carpctl -s j -l json -d 'the answer as one line of JSON'
complete -c carpctl -s s -l socket -r -F -d 'where carpd listens'
complete -c carpctl -s t -l timeout -x -d 'seconds to wait'
complete -c carpctl -s h -l help -d 'summary of words and options'
complete -c carpctl -s V -l version -d 'version of carpctl'
complete -c carpctl -n __fish_use_subcommand -a status -d 'who is master of what, and what is wrong'
complete -c carpctl -n __fish_use_subcommand -a show -d 'everything about one group'
complete -c carpctl -n __fish_use_subcommand -a log -d 'the last transitions and their causes'
complete -c carpctl -n __fish_use_subcommand -a demote -d 'make this host less wanted'
complete -c carpctl -n __fish_use_subcommand -a undemote -d 'take a reason back'
complete -c carpctl -n __fish_use_subcommand -a maintenance -d 'hand all groups over and stay away'
complete -c carpctl -n __fish_use_subcommand -a handover -d 'let another host take over'
complete -c carpctl -n __fish_use_subcommand -a reload -d 'read the configuration file again'
complete -c carpctl -n __fish_use_subcommand -a key -d 'make a key file for sealed adverts'
complete -c carpctl -n __fish_use_subcommand -a version -d 'versions of carpctl and carpd'
complete -c carpctl -n __fish_use_subcommand -a help -d 'summary of words and options'
complete -c carpctl -n '__fish_seen_subcommand_from show handover' -a '(__carpctl_groups)'
complete -c carpctl -n '__fish_seen_subcommand_from maintenance' -a 'on off'
complete -c carpctl -n '__fish_seen_subcommand_from key' -F
complete -c carpctl -n '__fish_seen_subcommand_from log' -s n -x -d 'how many entries'
