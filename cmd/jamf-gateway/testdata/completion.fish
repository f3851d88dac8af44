# fish completion of jamf-gateway: jamf-gateway completion fish > ~/.config/fish/completions/jamf-gateway.fish
function __jamf_gateway_at
    set -l place ""
    for word in (commandline -opc)[2..]
        switch "$place $word"
            case " init"
                set place "init"
            case " preflight"
                set place "preflight"
            case " serve"
                set place "serve"
            case " demo"
                set place "demo"
            case " fakejamf"
                set place "fakejamf"
            case " check"
                set place "check"
            case " status"
                set place "status"
            case " reload"
                set place "reload"
            case " sync"
                set place "sync"
            case " approve"
                set place "approve"
            case " expect-removals"
                set place "expect-removals"
            case " source"
                set place "source"
            case "source remove"
                set place "source remove"
            case " purge"
                set place "purge"
            case " show"
                set place "show"
            case " fields"
                set place "fields"
            case " report"
                set place "report"
            case "report availability"
                set place "report availability"
            case "report data-protection"
                set place "report data-protection"
            case " audit"
                set place "audit"
            case "audit show"
                set place "audit show"
            case "audit verify"
                set place "audit verify"
            case " diagnose"
                set place "diagnose"
            case " client"
                set place "client"
            case "client new"
                set place "client new"
            case "client rotate"
                set place "client rotate"
            case " completion"
                set place "completion"
            case " help"
                set place "help"
            case " version"
                set place "version"
        end
    end
    test "$place" = "$argv[1]"
end
complete -c jamf-gateway -f
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a init -d 'Ask what is needed and write the settings.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a preflight -d 'Say what a Jamf Pro opens to any program with these credentials, before there are settings. Stores nothing.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a serve -d 'Run the gateway.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a demo -d 'Run a simulated Jamf Pro and the gateway in one process, and print what to try.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a fakejamf -d 'Run the simulated Jamf Pro alone.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a check -d 'Check the settings, then test the connection of each source.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a status -d 'Show the state of every source of a running gateway.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a reload -d 'Have a running gateway take its settings file as it is now.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a sync -d 'Have a running gateway read a source now.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a approve -d 'Show what a guard holds back of a source, or approve it.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a expect-removals -d 'Announce deletions in Jamf, so that they are published without approval.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a source -d 'Remove a source of a running gateway, which its settings file names no more.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a purge -d 'Have a running gateway remove everything that it stored of a source, or of one device.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a show -d 'Show what is stored of a device, and beside it what each client sees.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a fields -d 'Print exactly what leaves, for each client of the settings.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a report -d 'Report what the gateway has recorded.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a audit -d 'Print the audit, or check that nothing of it is gone: who approved, purged, was refused, and what each client read.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a diagnose -d 'Write one file for support: without secrets, addresses and data of devices.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a client -d 'Make the id and the secret of a client of the gateway, or its next secret.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a completion -d 'Print a script with which bash, zsh or fish completes commands and flags.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a help -d 'Show how a command is used.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -a version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at ""' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l config -r -F -d 'Settings file to write, mode 0600; without it gateway.yaml.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l force -d 'Replace files that exist.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l url -x -d 'Address of Jamf Pro, as you have it.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l name -x -d 'Name of the source: small letters, digits, dashes. Without it the first part of the host.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l client-id -x -d 'Client ID of the API client in Jamf Pro.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l client-secret-file -r -F -d 'File with its client secret, - for standard input. Without it JAMF_CLIENT_SECRET, then the terminal.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l secret-env -x -d 'Refer to this variable in the settings instead of keeping Jamf\'s secret in a file beside them.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l public-url -x -d 'Address by which Inventory360 reaches the gateway.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l tls-cert -r -F -d 'Certificate of the gateway with its chain (PEM); without it a proxy does TLS.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l tls-key -r -F -d 'Its private key.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l insecure-http -d 'A proxy does TLS: listen without a certificate where other machines can reach it.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l listen -x -d 'Address to listen on; without it :8443 with a certificate, else 127.0.0.1:8080.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l admin-listen -x -d 'Address of the admin door; without it 127.0.0.1:9480.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l data-dir -r -F -d 'Directory for what the gateway keeps: devices and its key. Without it data and gateway.key beside the settings.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l client -x -d 'Client id that Inventory360 will use at the gateway; without it inventory360.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l allow-insecure-loopback -d 'Allow http to a loopback address, for a simulated Jamf Pro.'
complete -c jamf-gateway -n '__jamf_gateway_at "init"' -l test -d 'Test the connection to Jamf afterwards without asking.'
complete -c jamf-gateway -n '__jamf_gateway_at "preflight"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "preflight"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "preflight"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "preflight"' -l client-id -x -d 'Client ID of the API client in Jamf Pro. Without it JAMF_CLIENT_ID, then the terminal.'
complete -c jamf-gateway -n '__jamf_gateway_at "preflight"' -l client-secret-file -r -F -d 'File with its client secret, - for standard input. Without it JAMF_CLIENT_SECRET, then the terminal.'
complete -c jamf-gateway -n '__jamf_gateway_at "preflight"' -l sample -x -d 'Look at about so many devices of a kind, in pages from the whole list; without it 2000, 0 looks at all.'
complete -c jamf-gateway -n '__jamf_gateway_at "preflight"' -l json -d 'Print the findings as JSON.'
complete -c jamf-gateway -n '__jamf_gateway_at "preflight"' -l ca-file -r -F -d 'Certificates (PEM) of the authority of a Jamf Pro of your own.'
complete -c jamf-gateway -n '__jamf_gateway_at "preflight"' -l proxy-url -x -d 'Proxy to Jamf, off for none. Without it HTTPS_PROXY and NO_PROXY.'
complete -c jamf-gateway -n '__jamf_gateway_at "preflight"' -l allow-insecure-loopback -d 'Allow http to a loopback address, for a simulated Jamf Pro.'
complete -c jamf-gateway -n '__jamf_gateway_at "serve"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "serve"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "serve"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "serve"' -l config -r -F -d 'Settings file (gateway.yaml).'
complete -c jamf-gateway -n '__jamf_gateway_at "demo"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "demo"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "demo"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "demo"' -l listen -x -d 'Address of the gateway.'
complete -c jamf-gateway -n '__jamf_gateway_at "demo"' -l admin-listen -x -d 'Address of the gateway\'s admin door and metrics.'
complete -c jamf-gateway -n '__jamf_gateway_at "demo"' -l jamf-listen -x -d 'Address of the simulated Jamf Pro.'
complete -c jamf-gateway -n '__jamf_gateway_at "demo"' -l data-dir -r -F -d 'Keep the data here (default: a temporary directory that is removed at the end).'
complete -c jamf-gateway -n '__jamf_gateway_at "demo"' -l computers -x -d 'Simulated computers; 0 = none.'
complete -c jamf-gateway -n '__jamf_gateway_at "demo"' -l mobiles -x -d 'Simulated mobile devices; 0 = none.'
complete -c jamf-gateway -n '__jamf_gateway_at "demo"' -l seed -x -d 'The same seed makes the same fleet.'
complete -c jamf-gateway -n '__jamf_gateway_at "demo"' -l faults -x -a 'calm hostile' -d 'calm, or hostile: refused tokens, 500 and HTML pages, latency, a record that never renders.'
complete -c jamf-gateway -n '__jamf_gateway_at "demo"' -l client-id -x -d 'Client id of the API client.'
complete -c jamf-gateway -n '__jamf_gateway_at "demo"' -l client-secret -x -d 'Client secret of the API client.'
complete -c jamf-gateway -n '__jamf_gateway_at "fakejamf"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "fakejamf"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "fakejamf"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "fakejamf"' -l listen -x -d 'Address of the simulated Jamf Pro.'
complete -c jamf-gateway -n '__jamf_gateway_at "fakejamf"' -l computers -x -d 'Simulated computers; 0 = none.'
complete -c jamf-gateway -n '__jamf_gateway_at "fakejamf"' -l mobiles -x -d 'Simulated mobile devices; 0 = none.'
complete -c jamf-gateway -n '__jamf_gateway_at "fakejamf"' -l seed -x -d 'The same seed makes the same fleet.'
complete -c jamf-gateway -n '__jamf_gateway_at "fakejamf"' -l faults -x -a 'calm hostile' -d 'calm, or hostile: refused tokens, 500 and HTML pages, latency, a record that never renders.'
complete -c jamf-gateway -n '__jamf_gateway_at "fakejamf"' -l client-id -x -d 'Client id of the API client.'
complete -c jamf-gateway -n '__jamf_gateway_at "fakejamf"' -l client-secret -x -d 'Client secret of the API client.'
complete -c jamf-gateway -n '__jamf_gateway_at "check"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "check"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "check"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "check"' -l config -r -F -d 'Settings file (gateway.yaml).'
complete -c jamf-gateway -n '__jamf_gateway_at "check"' -l source -x -d 'Test only this source.'
complete -c jamf-gateway -n '__jamf_gateway_at "check"' -l json -d 'Print the reports as JSON.'
complete -c jamf-gateway -n '__jamf_gateway_at "check"' -l livez -d 'Only ask the running gateway of this configuration for /livez (container health check).'
complete -c jamf-gateway -n '__jamf_gateway_at "check"' -l as-client -d 'Go in through public_url as Inventory360 would: certificate chain, token, rights, one list, one device.'
complete -c jamf-gateway -n '__jamf_gateway_at "check"' -l client -x -d 'With --as-client: as which client; needed where there are several.'
complete -c jamf-gateway -n '__jamf_gateway_at "check"' -l client-secret-file -r -F -d 'With --as-client: file with the client\'s secret, - for standard input. Without it GATEWAY_CLIENT_SECRET, then the terminal.'
complete -c jamf-gateway -n '__jamf_gateway_at "check"' -l ca-file -r -F -d 'With --as-client: certificates (PEM) of the authorities that Inventory360 trusts instead of those of this system.'
complete -c jamf-gateway -n '__jamf_gateway_at "status"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "status"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "status"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "status"' -l config -r -F -d 'Settings file whose admin_listen is used.'
complete -c jamf-gateway -n '__jamf_gateway_at "status"' -l admin -x -d 'Address of the admin door; without it and --config http://127.0.0.1:9480.'
complete -c jamf-gateway -n '__jamf_gateway_at "status"' -l admin-token-file -r -F -d 'File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.'
complete -c jamf-gateway -n '__jamf_gateway_at "status"' -l watch -d 'Show it again every two seconds, until Ctrl-C.'
complete -c jamf-gateway -n '__jamf_gateway_at "status"' -l json -d 'Print what the admin door answers.'
complete -c jamf-gateway -n '__jamf_gateway_at "reload"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "reload"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "reload"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "reload"' -l config -r -F -d 'Settings file whose admin_listen is used.'
complete -c jamf-gateway -n '__jamf_gateway_at "reload"' -l admin -x -d 'Address of the admin door; without it and --config http://127.0.0.1:9480.'
complete -c jamf-gateway -n '__jamf_gateway_at "reload"' -l admin-token-file -r -F -d 'File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.'
complete -c jamf-gateway -n '__jamf_gateway_at "reload"' -l by -x -d 'Who acts, for the audit; without it the user of this terminal, also behind sudo.'
complete -c jamf-gateway -n '__jamf_gateway_at "sync"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "sync"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "sync"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "sync"' -l kind -x -a 'computer mobile' -d 'Only this kind: computer or mobile. Without it every kind of the source.'
complete -c jamf-gateway -n '__jamf_gateway_at "sync"' -l wait -d 'Wait for the end and tell the result.'
complete -c jamf-gateway -n '__jamf_gateway_at "sync"' -l config -r -F -d 'Settings file whose admin_listen is used.'
complete -c jamf-gateway -n '__jamf_gateway_at "sync"' -l admin -x -d 'Address of the admin door; without it and --config http://127.0.0.1:9480.'
complete -c jamf-gateway -n '__jamf_gateway_at "sync"' -l admin-token-file -r -F -d 'File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.'
complete -c jamf-gateway -n '__jamf_gateway_at "sync"' -l by -x -d 'Who acts, for the audit; without it the user of this terminal, also behind sudo.'
complete -c jamf-gateway -n '__jamf_gateway_at "approve"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "approve"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "approve"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "approve"' -l config -r -F -d 'Settings file whose admin_listen is used.'
complete -c jamf-gateway -n '__jamf_gateway_at "approve"' -l admin -x -d 'Address of the admin door; without it and --config http://127.0.0.1:9480.'
complete -c jamf-gateway -n '__jamf_gateway_at "approve"' -l admin-token-file -r -F -d 'File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.'
complete -c jamf-gateway -n '__jamf_gateway_at "approve"' -l by -x -d 'Who acts, for the audit; without it the user of this terminal, also behind sudo.'
complete -c jamf-gateway -n '__jamf_gateway_at "expect-removals"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "expect-removals"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "expect-removals"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "expect-removals"' -l until -x -d 'The last day, like 2026-12-24, or a time like 2026-12-24T18:00:00+01:00.'
complete -c jamf-gateway -n '__jamf_gateway_at "expect-removals"' -l config -r -F -d 'Settings file whose admin_listen is used.'
complete -c jamf-gateway -n '__jamf_gateway_at "expect-removals"' -l admin -x -d 'Address of the admin door; without it and --config http://127.0.0.1:9480.'
complete -c jamf-gateway -n '__jamf_gateway_at "expect-removals"' -l admin-token-file -r -F -d 'File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.'
complete -c jamf-gateway -n '__jamf_gateway_at "expect-removals"' -l by -x -d 'Who acts, for the audit; without it the user of this terminal, also behind sudo.'
complete -c jamf-gateway -n '__jamf_gateway_at "source"' -a remove -d 'Have a running gateway take its settings file, in which this source does not stand any more.'
complete -c jamf-gateway -n '__jamf_gateway_at "source"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "source"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "source"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "source remove"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "source remove"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "source remove"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "source remove"' -l confirm -x -d 'The same name once more, for scripts; without it the command asks for it.'
complete -c jamf-gateway -n '__jamf_gateway_at "source remove"' -l config -r -F -d 'Settings file whose admin_listen is used.'
complete -c jamf-gateway -n '__jamf_gateway_at "source remove"' -l admin -x -d 'Address of the admin door; without it and --config http://127.0.0.1:9480.'
complete -c jamf-gateway -n '__jamf_gateway_at "source remove"' -l admin-token-file -r -F -d 'File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.'
complete -c jamf-gateway -n '__jamf_gateway_at "source remove"' -l by -x -d 'Who acts, for the audit; without it the user of this terminal, also behind sudo.'
complete -c jamf-gateway -n '__jamf_gateway_at "purge"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "purge"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "purge"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "purge"' -l confirm -x -d 'The same name once more, for scripts; without it the command asks for it.'
complete -c jamf-gateway -n '__jamf_gateway_at "purge"' -l config -r -F -d 'Settings file whose admin_listen is used.'
complete -c jamf-gateway -n '__jamf_gateway_at "purge"' -l admin -x -d 'Address of the admin door; without it and --config http://127.0.0.1:9480.'
complete -c jamf-gateway -n '__jamf_gateway_at "purge"' -l admin-token-file -r -F -d 'File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.'
complete -c jamf-gateway -n '__jamf_gateway_at "purge"' -l by -x -d 'Who acts, for the audit; without it the user of this terminal, also behind sudo.'
complete -c jamf-gateway -n '__jamf_gateway_at "show"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "show"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "show"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "show"' -l serial -x -d 'Serial number; all devices that have it are shown.'
complete -c jamf-gateway -n '__jamf_gateway_at "show"' -l uid -x -d 'A device as SOURCE:KIND:ID, like schule-a:computer:42.'
complete -c jamf-gateway -n '__jamf_gateway_at "show"' -l source -x -d 'Look in this source alone.'
complete -c jamf-gateway -n '__jamf_gateway_at "show"' -l client -x -d 'Show what this client sees alone.'
complete -c jamf-gateway -n '__jamf_gateway_at "show"' -l shape -x -a 'both jamf normalized' -d 'What is shown of a client\'s side: jamf, normalized or both; without it both.'
complete -c jamf-gateway -n '__jamf_gateway_at "show"' -l json -d 'Print what the admin door answers, with whole values; --shape does not count.'
complete -c jamf-gateway -n '__jamf_gateway_at "show"' -l config -r -F -d 'Settings file whose admin_listen is used.'
complete -c jamf-gateway -n '__jamf_gateway_at "show"' -l admin -x -d 'Address of the admin door; without it and --config http://127.0.0.1:9480.'
complete -c jamf-gateway -n '__jamf_gateway_at "show"' -l admin-token-file -r -F -d 'File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.'
complete -c jamf-gateway -n '__jamf_gateway_at "show"' -l by -x -d 'Who acts, for the audit; without it the user of this terminal, also behind sudo.'
complete -c jamf-gateway -n '__jamf_gateway_at "fields"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "fields"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "fields"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "fields"' -l config -r -F -d 'Settings file.'
complete -c jamf-gateway -n '__jamf_gateway_at "fields"' -l client -x -d 'Only what leaves to this client.'
complete -c jamf-gateway -n '__jamf_gateway_at "fields"' -l format -x -a 'text markdown json' -d 'text, markdown or json; without it text.'
complete -c jamf-gateway -n '__jamf_gateway_at "report"' -a availability -d 'Show what the heartbeats saw of Jamf: outages, latency, errors, and when nothing was measured.'
complete -c jamf-gateway -n '__jamf_gateway_at "report"' -a data-protection -d 'Write what a data protection officer and a works council are shown: fields, recipients, retention, measures, text blocks. In German unless --lang says en.'
complete -c jamf-gateway -n '__jamf_gateway_at "report"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "report"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "report"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "report availability"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "report availability"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "report availability"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "report availability"' -l days -x -d 'How many days, today included; 90 at most.'
complete -c jamf-gateway -n '__jamf_gateway_at "report availability"' -l source -x -d 'Only this source.'
complete -c jamf-gateway -n '__jamf_gateway_at "report availability"' -l config -r -F -d 'Settings file; sources and data_dir are taken from it.'
complete -c jamf-gateway -n '__jamf_gateway_at "report availability"' -l data-dir -r -F -d 'Instead of --config: the data directory, or a copy of it, without settings.'
complete -c jamf-gateway -n '__jamf_gateway_at "report availability"' -l json -d 'Print the reports as JSON.'
complete -c jamf-gateway -n '__jamf_gateway_at "report availability"' -l format -x -a 'text markdown' -d 'Without --json: text or markdown; without it text.'
complete -c jamf-gateway -n '__jamf_gateway_at "report data-protection"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "report data-protection"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "report data-protection"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "report data-protection"' -l config -r -F -d 'Settings file.'
complete -c jamf-gateway -n '__jamf_gateway_at "report data-protection"' -l format -x -a 'markdown html' -d 'markdown or html. Without it the ending of --out decides, else markdown.'
complete -c jamf-gateway -n '__jamf_gateway_at "report data-protection"' -l out -r -F -d 'File to write, which must not exist yet. Without it standard output.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit"' -a show -d 'Print the lines of the audit, the oldest first. This is what audit without a subcommand does.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit"' -a verify -d 'Check that no line of the audit is gone or was changed, and name each place where one was.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit"' -l since -x -d 'Nothing before this: a day like 2026-11-27, a time like 2026-11-27T18:00:00+01:00, or how long ago, like 90m, 24h or 7d.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit"' -l client -x -d 'Only lines about this client.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit"' -l source -x -d 'Only lines about this source.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit"' -l kind -x -a 'computer mobile' -d 'Only lines about this kind: computer or mobile.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit"' -l act -x -d 'Only these events: one like admin.purge, or the words before its dot, like admin, token or read.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit"' -l json -d 'Print the lines as they stand in the files.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit"' -l config -r -F -d 'Settings file; audit.dir is taken from it.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit"' -l dir -r -F -d 'Instead of --config: the directory of the audit, or a copy of it.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit show"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit show"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit show"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit show"' -l since -x -d 'Nothing before this: a day like 2026-11-27, a time like 2026-11-27T18:00:00+01:00, or how long ago, like 90m, 24h or 7d.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit show"' -l client -x -d 'Only lines about this client.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit show"' -l source -x -d 'Only lines about this source.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit show"' -l kind -x -a 'computer mobile' -d 'Only lines about this kind: computer or mobile.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit show"' -l act -x -d 'Only these events: one like admin.purge, or the words before its dot, like admin, token or read.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit show"' -l json -d 'Print the lines as they stand in the files.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit show"' -l config -r -F -d 'Settings file; audit.dir is taken from it.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit show"' -l dir -r -F -d 'Instead of --config: the directory of the audit, or a copy of it.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit verify"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit verify"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit verify"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit verify"' -l json -d 'Print the result as JSON.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit verify"' -l config -r -F -d 'Settings file; audit.dir is taken from it.'
complete -c jamf-gateway -n '__jamf_gateway_at "audit verify"' -l dir -r -F -d 'Instead of --config: the directory of the audit, or a copy of it.'
complete -c jamf-gateway -n '__jamf_gateway_at "diagnose"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "diagnose"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "diagnose"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "diagnose"' -l config -r -F -d 'Settings file; its admin door is asked, and its data directory read.'
complete -c jamf-gateway -n '__jamf_gateway_at "diagnose"' -l admin -x -d 'Address of the admin door, which is then all that is asked; without it and --config http://127.0.0.1:9480.'
complete -c jamf-gateway -n '__jamf_gateway_at "diagnose"' -l admin-token-file -r -F -d 'File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.'
complete -c jamf-gateway -n '__jamf_gateway_at "diagnose"' -l output -r -F -d 'The file to write, - for standard output; without it jamf-gateway-diagnose-TIME.json.'
complete -c jamf-gateway -n '__jamf_gateway_at "client"' -a new -d 'Make a client: its secret, shown once, and the lines for the settings.'
complete -c jamf-gateway -n '__jamf_gateway_at "client"' -a rotate -d 'Make the next secret of a client, which lives beside the one in use until you remove that one.'
complete -c jamf-gateway -n '__jamf_gateway_at "client"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "client"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "client"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "client new"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "client new"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "client new"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "client new"' -l id -x -d 'What the client enters as client id; without it inventory360.'
complete -c jamf-gateway -n '__jamf_gateway_at "client new"' -l sources -x -d 'Which sources it may see, separated by commas; without it all of them.'
complete -c jamf-gateway -n '__jamf_gateway_at "client new"' -l profile -x -d 'What it is shown; without it all that a source keeps.'
complete -c jamf-gateway -n '__jamf_gateway_at "client new"' -l config -r -F -d 'Settings file to check the id, the sources and the profile against. It is not changed.'
complete -c jamf-gateway -n '__jamf_gateway_at "client rotate"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "client rotate"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "client rotate"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "client rotate"' -l config -r -F -d 'Settings file; it is read, not changed.'
complete -c jamf-gateway -n '__jamf_gateway_at "client rotate"' -l days -x -d 'How many days the old secret stays good beside the new one, 1 to 365; without it 14.'
complete -c jamf-gateway -n '__jamf_gateway_at "completion"' -a bash -d ''
complete -c jamf-gateway -n '__jamf_gateway_at "completion"' -a zsh -d ''
complete -c jamf-gateway -n '__jamf_gateway_at "completion"' -a fish -d ''
complete -c jamf-gateway -n '__jamf_gateway_at "completion"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "completion"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "completion"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "help"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "help"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "help"' -l version -d 'Print the version.'
complete -c jamf-gateway -n '__jamf_gateway_at "version"' -l help -d 'Show context-sensitive help.'
complete -c jamf-gateway -n '__jamf_gateway_at "version"' -l lang -x -a 'en de' -d 'Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.'
complete -c jamf-gateway -n '__jamf_gateway_at "version"' -l version -d 'Print the version.'
