#compdef jamf-gateway
# zsh completion of jamf-gateway: jamf-gateway completion zsh > "${fpath[1]}/_jamf-gateway"
_jamf-gateway() {
    local place="" prev="${words[CURRENT-1]}" i
    local -a commands flags
    if [[ $PREFIX == --*=* ]]; then
        prev="${PREFIX%%=*}"
        compset -P 1 '*='
    fi
    for ((i = 2; i < CURRENT; i++)); do
        case "$place ${words[i]}" in
            " init") place="init" ;;
            " preflight") place="preflight" ;;
            " serve") place="serve" ;;
            " demo") place="demo" ;;
            " fakejamf") place="fakejamf" ;;
            " check") place="check" ;;
            " status") place="status" ;;
            " reload") place="reload" ;;
            " sync") place="sync" ;;
            " approve") place="approve" ;;
            " expect-removals") place="expect-removals" ;;
            " source") place="source" ;;
            "source remove") place="source remove" ;;
            " purge") place="purge" ;;
            " show") place="show" ;;
            " fields") place="fields" ;;
            " report") place="report" ;;
            "report availability") place="report availability" ;;
            "report data-protection") place="report data-protection" ;;
            " audit") place="audit" ;;
            "audit show") place="audit show" ;;
            "audit verify") place="audit verify" ;;
            " diagnose") place="diagnose" ;;
            " client") place="client" ;;
            "client new") place="client new" ;;
            "client rotate") place="client rotate" ;;
            " completion") place="completion" ;;
            " help") place="help" ;;
            " version") place="version" ;;
        esac
    done
    case "$place" in
        "")
            case "$prev" in
                --lang) compadd -- en de; return ;;
            esac
            commands=( 'init:Ask what is needed and write the settings.' 'preflight:Say what a Jamf Pro opens to any program with these credentials, before there are settings. Stores nothing.' 'serve:Run the gateway.' 'demo:Run a simulated Jamf Pro and the gateway in one process, and print what to try.' 'fakejamf:Run the simulated Jamf Pro alone.' 'check:Check the settings, then test the connection of each source.' 'status:Show the state of every source of a running gateway.' 'reload:Have a running gateway take its settings file as it is now.' 'sync:Have a running gateway read a source now.' 'approve:Show what a guard holds back of a source, or approve it.' 'expect-removals:Announce deletions in Jamf, so that they are published without approval.' 'source:Remove a source of a running gateway, which its settings file names no more.' 'purge:Have a running gateway remove everything that it stored of a source, or of one device.' 'show:Show what is stored of a device, and beside it what each client sees.' 'fields:Print exactly what leaves, for each client of the settings.' 'report:Report what the gateway has recorded.' 'audit:Print the audit, or check that nothing of it is gone: who approved, purged, was refused, and what each client read.' 'diagnose:Write one file for support: without secrets, addresses and data of devices.' 'client:Make the id and the secret of a client of the gateway, or its next secret.' 'completion:Print a script with which bash, zsh or fish completes commands and flags.' 'help:Show how a command is used.' 'version:Print the version.' )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' ) ;;
        "init")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --config) _files; return ;;
                --url) return ;;
                --name) return ;;
                --client-id) return ;;
                --client-secret-file) _files; return ;;
                --secret-env) return ;;
                --public-url) return ;;
                --tls-cert) _files; return ;;
                --tls-key) _files; return ;;
                --listen) return ;;
                --admin-listen) return ;;
                --data-dir) _files; return ;;
                --client) return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--config:Settings file to write, mode 0600; without it gateway.yaml.' '--force:Replace files that exist.' '--url:Address of Jamf Pro, as you have it.' '--name:Name of the source: small letters, digits, dashes. Without it the first part of the host.' '--client-id:Client ID of the API client in Jamf Pro.' '--client-secret-file:File with its client secret, - for standard input. Without it JAMF_CLIENT_SECRET, then the terminal.' '--secret-env:Refer to this variable in the settings instead of keeping Jamf'\''s secret in a file beside them.' '--public-url:Address by which Inventory360 reaches the gateway.' '--tls-cert:Certificate of the gateway with its chain (PEM); without it a proxy does TLS.' '--tls-key:Its private key.' '--insecure-http:A proxy does TLS: listen without a certificate where other machines can reach it.' '--listen:Address to listen on; without it :8443 with a certificate, else 127.0.0.1:8080.' '--admin-listen:Address of the admin door; without it 127.0.0.1:9480.' '--data-dir:Directory for what the gateway keeps: devices and its key. Without it data and gateway.key beside the settings.' '--client:Client id that Inventory360 will use at the gateway; without it inventory360.' '--allow-insecure-loopback:Allow http to a loopback address, for a simulated Jamf Pro.' '--test:Test the connection to Jamf afterwards without asking.' ) ;;
        "preflight")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --client-id) return ;;
                --client-secret-file) _files; return ;;
                --sample) return ;;
                --ca-file) _files; return ;;
                --proxy-url) return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--client-id:Client ID of the API client in Jamf Pro. Without it JAMF_CLIENT_ID, then the terminal.' '--client-secret-file:File with its client secret, - for standard input. Without it JAMF_CLIENT_SECRET, then the terminal.' '--sample:Look at about so many devices of a kind, in pages from the whole list; without it 2000, 0 looks at all.' '--json:Print the findings as JSON.' '--ca-file:Certificates (PEM) of the authority of a Jamf Pro of your own.' '--proxy-url:Proxy to Jamf, off for none. Without it HTTPS_PROXY and NO_PROXY.' '--allow-insecure-loopback:Allow http to a loopback address, for a simulated Jamf Pro.' ) ;;
        "serve")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --config) _files; return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--config:Settings file (gateway.yaml).' ) ;;
        "demo")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --listen) return ;;
                --admin-listen) return ;;
                --jamf-listen) return ;;
                --data-dir) _files; return ;;
                --computers) return ;;
                --mobiles) return ;;
                --seed) return ;;
                --faults) compadd -- calm hostile; return ;;
                --client-id) return ;;
                --client-secret) return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--listen:Address of the gateway.' '--admin-listen:Address of the gateway'\''s admin door and metrics.' '--jamf-listen:Address of the simulated Jamf Pro.' '--data-dir:Keep the data here (default: a temporary directory that is removed at the end).' '--computers:Simulated computers; 0 = none.' '--mobiles:Simulated mobile devices; 0 = none.' '--seed:The same seed makes the same fleet.' '--faults:calm, or hostile: refused tokens, 500 and HTML pages, latency, a record that never renders.' '--client-id:Client id of the API client.' '--client-secret:Client secret of the API client.' ) ;;
        "fakejamf")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --listen) return ;;
                --computers) return ;;
                --mobiles) return ;;
                --seed) return ;;
                --faults) compadd -- calm hostile; return ;;
                --client-id) return ;;
                --client-secret) return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--listen:Address of the simulated Jamf Pro.' '--computers:Simulated computers; 0 = none.' '--mobiles:Simulated mobile devices; 0 = none.' '--seed:The same seed makes the same fleet.' '--faults:calm, or hostile: refused tokens, 500 and HTML pages, latency, a record that never renders.' '--client-id:Client id of the API client.' '--client-secret:Client secret of the API client.' ) ;;
        "check")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --config) _files; return ;;
                --source) return ;;
                --client) return ;;
                --client-secret-file) _files; return ;;
                --ca-file) _files; return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--config:Settings file (gateway.yaml).' '--source:Test only this source.' '--json:Print the reports as JSON.' '--livez:Only ask the running gateway of this configuration for /livez (container health check).' '--as-client:Go in through public_url as Inventory360 would: certificate chain, token, rights, one list, one device.' '--client:With --as-client: as which client; needed where there are several.' '--client-secret-file:With --as-client: file with the client'\''s secret, - for standard input. Without it GATEWAY_CLIENT_SECRET, then the terminal.' '--ca-file:With --as-client: certificates (PEM) of the authorities that Inventory360 trusts instead of those of this system.' ) ;;
        "status")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --config) _files; return ;;
                --admin) return ;;
                --admin-token-file) _files; return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--config:Settings file whose admin_listen is used.' '--admin:Address of the admin door; without it and --config http://127.0.0.1:9480.' '--admin-token-file:File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.' '--watch:Show it again every two seconds, until Ctrl-C.' '--json:Print what the admin door answers.' ) ;;
        "reload")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --config) _files; return ;;
                --admin) return ;;
                --admin-token-file) _files; return ;;
                --by) return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--config:Settings file whose admin_listen is used.' '--admin:Address of the admin door; without it and --config http://127.0.0.1:9480.' '--admin-token-file:File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.' '--by:Who acts, for the audit; without it the user of this terminal, also behind sudo.' ) ;;
        "sync")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --kind) compadd -- computer mobile; return ;;
                --config) _files; return ;;
                --admin) return ;;
                --admin-token-file) _files; return ;;
                --by) return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--kind:Only this kind: computer or mobile. Without it every kind of the source.' '--wait:Wait for the end and tell the result.' '--config:Settings file whose admin_listen is used.' '--admin:Address of the admin door; without it and --config http://127.0.0.1:9480.' '--admin-token-file:File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.' '--by:Who acts, for the audit; without it the user of this terminal, also behind sudo.' ) ;;
        "approve")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --config) _files; return ;;
                --admin) return ;;
                --admin-token-file) _files; return ;;
                --by) return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--config:Settings file whose admin_listen is used.' '--admin:Address of the admin door; without it and --config http://127.0.0.1:9480.' '--admin-token-file:File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.' '--by:Who acts, for the audit; without it the user of this terminal, also behind sudo.' ) ;;
        "expect-removals")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --until) return ;;
                --config) _files; return ;;
                --admin) return ;;
                --admin-token-file) _files; return ;;
                --by) return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--until:The last day, like 2026-12-24, or a time like 2026-12-24T18:00:00+01:00.' '--config:Settings file whose admin_listen is used.' '--admin:Address of the admin door; without it and --config http://127.0.0.1:9480.' '--admin-token-file:File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.' '--by:Who acts, for the audit; without it the user of this terminal, also behind sudo.' ) ;;
        "source")
            case "$prev" in
                --lang) compadd -- en de; return ;;
            esac
            commands=( 'remove:Have a running gateway take its settings file, in which this source does not stand any more.' )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' ) ;;
        "source remove")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --confirm) return ;;
                --config) _files; return ;;
                --admin) return ;;
                --admin-token-file) _files; return ;;
                --by) return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--confirm:The same name once more, for scripts; without it the command asks for it.' '--config:Settings file whose admin_listen is used.' '--admin:Address of the admin door; without it and --config http://127.0.0.1:9480.' '--admin-token-file:File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.' '--by:Who acts, for the audit; without it the user of this terminal, also behind sudo.' ) ;;
        "purge")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --confirm) return ;;
                --config) _files; return ;;
                --admin) return ;;
                --admin-token-file) _files; return ;;
                --by) return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--confirm:The same name once more, for scripts; without it the command asks for it.' '--config:Settings file whose admin_listen is used.' '--admin:Address of the admin door; without it and --config http://127.0.0.1:9480.' '--admin-token-file:File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.' '--by:Who acts, for the audit; without it the user of this terminal, also behind sudo.' ) ;;
        "show")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --serial) return ;;
                --uid) return ;;
                --source) return ;;
                --client) return ;;
                --shape) compadd -- both jamf normalized; return ;;
                --config) _files; return ;;
                --admin) return ;;
                --admin-token-file) _files; return ;;
                --by) return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--serial:Serial number; all devices that have it are shown.' '--uid:A device as SOURCE:KIND:ID, like schule-a:computer:42.' '--source:Look in this source alone.' '--client:Show what this client sees alone.' '--shape:What is shown of a client'\''s side: jamf, normalized or both; without it both.' '--json:Print what the admin door answers, with whole values; --shape does not count.' '--config:Settings file whose admin_listen is used.' '--admin:Address of the admin door; without it and --config http://127.0.0.1:9480.' '--admin-token-file:File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.' '--by:Who acts, for the audit; without it the user of this terminal, also behind sudo.' ) ;;
        "fields")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --config) _files; return ;;
                --client) return ;;
                --format) compadd -- text markdown json; return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--config:Settings file.' '--client:Only what leaves to this client.' '--format:text, markdown or json; without it text.' ) ;;
        "report")
            case "$prev" in
                --lang) compadd -- en de; return ;;
            esac
            commands=( 'availability:Show what the heartbeats saw of Jamf: outages, latency, errors, and when nothing was measured.' 'data-protection:Write what a data protection officer and a works council are shown: fields, recipients, retention, measures, text blocks. In German unless --lang says en.' )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' ) ;;
        "report availability")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --days) return ;;
                --source) return ;;
                --config) _files; return ;;
                --data-dir) _files; return ;;
                --format) compadd -- text markdown; return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--days:How many days, today included; 90 at most.' '--source:Only this source.' '--config:Settings file; sources and data_dir are taken from it.' '--data-dir:Instead of --config: the data directory, or a copy of it, without settings.' '--json:Print the reports as JSON.' '--format:Without --json: text or markdown; without it text.' ) ;;
        "report data-protection")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --config) _files; return ;;
                --format) compadd -- markdown html; return ;;
                --out) _files; return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--config:Settings file.' '--format:markdown or html. Without it the ending of --out decides, else markdown.' '--out:File to write, which must not exist yet. Without it standard output.' ) ;;
        "audit")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --since) return ;;
                --client) return ;;
                --source) return ;;
                --kind) compadd -- computer mobile; return ;;
                --act) return ;;
                --config) _files; return ;;
                --dir) _files; return ;;
            esac
            commands=( 'show:Print the lines of the audit, the oldest first. This is what audit without a subcommand does.' 'verify:Check that no line of the audit is gone or was changed, and name each place where one was.' )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--since:Nothing before this: a day like 2026-11-27, a time like 2026-11-27T18:00:00+01:00, or how long ago, like 90m, 24h or 7d.' '--client:Only lines about this client.' '--source:Only lines about this source.' '--kind:Only lines about this kind: computer or mobile.' '--act:Only these events: one like admin.purge, or the words before its dot, like admin, token or read.' '--json:Print the lines as they stand in the files.' '--config:Settings file; audit.dir is taken from it.' '--dir:Instead of --config: the directory of the audit, or a copy of it.' ) ;;
        "audit show")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --since) return ;;
                --client) return ;;
                --source) return ;;
                --kind) compadd -- computer mobile; return ;;
                --act) return ;;
                --config) _files; return ;;
                --dir) _files; return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--since:Nothing before this: a day like 2026-11-27, a time like 2026-11-27T18:00:00+01:00, or how long ago, like 90m, 24h or 7d.' '--client:Only lines about this client.' '--source:Only lines about this source.' '--kind:Only lines about this kind: computer or mobile.' '--act:Only these events: one like admin.purge, or the words before its dot, like admin, token or read.' '--json:Print the lines as they stand in the files.' '--config:Settings file; audit.dir is taken from it.' '--dir:Instead of --config: the directory of the audit, or a copy of it.' ) ;;
        "audit verify")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --config) _files; return ;;
                --dir) _files; return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--json:Print the result as JSON.' '--config:Settings file; audit.dir is taken from it.' '--dir:Instead of --config: the directory of the audit, or a copy of it.' ) ;;
        "diagnose")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --config) _files; return ;;
                --admin) return ;;
                --admin-token-file) _files; return ;;
                --output) _files; return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--config:Settings file; its admin door is asked, and its data directory read.' '--admin:Address of the admin door, which is then all that is asked; without it and --config http://127.0.0.1:9480.' '--admin-token-file:File of the admin token; without it $JAMF_GATEWAY_ADMIN_TOKEN, or admin_token_file of the settings.' '--output:The file to write, - for standard output; without it jamf-gateway-diagnose-TIME.json.' ) ;;
        "client")
            case "$prev" in
                --lang) compadd -- en de; return ;;
            esac
            commands=( 'new:Make a client: its secret, shown once, and the lines for the settings.' 'rotate:Make the next secret of a client, which lives beside the one in use until you remove that one.' )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' ) ;;
        "client new")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --id) return ;;
                --sources) return ;;
                --profile) return ;;
                --config) _files; return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--id:What the client enters as client id; without it inventory360.' '--sources:Which sources it may see, separated by commas; without it all of them.' '--profile:What it is shown; without it all that a source keeps.' '--config:Settings file to check the id, the sources and the profile against. It is not changed.' ) ;;
        "client rotate")
            case "$prev" in
                --lang) compadd -- en de; return ;;
                --config) _files; return ;;
                --days) return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' '--config:Settings file; it is read, not changed.' '--days:How many days the old secret stays good beside the new one, 1 to 365; without it 14.' ) ;;
        "completion")
            case "$prev" in
                --lang) compadd -- en de; return ;;
            esac
            commands=( 'bash' 'zsh' 'fish' )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' ) ;;
        "help")
            case "$prev" in
                --lang) compadd -- en de; return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' ) ;;
        "version")
            case "$prev" in
                --lang) compadd -- en de; return ;;
            esac
            commands=( )
            flags=( '--help:Show context-sensitive help.' '--lang:Language of the sentences: en or de. Without it LC_ALL, LC_MESSAGES and LANG decide.' '--version:Print the version.' ) ;;
    esac
    if [[ $PREFIX == -* ]]; then
        _describe -t flags flag flags
    else
        _describe -t commands command commands
    fi
}
if [[ "${funcstack[1]}" == "_jamf-gateway" ]]; then
    _jamf-gateway "$@"
else
    compdef _jamf-gateway jamf-gateway
fi
