# bash completion of jamf-gateway: source <(jamf-gateway completion bash)
_jamf_gateway() {
    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" place="" words="" flags="" i
    if [[ $cur == "=" ]]; then cur=""; elif [[ $prev == "=" ]]; then prev="${COMP_WORDS[COMP_CWORD-2]}"; fi
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$place ${COMP_WORDS[i]}" in
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
            words="init preflight serve demo fakejamf check status reload sync approve expect-removals source purge show fields report audit diagnose client completion help version" flags="--help --lang --version"
            case "$prev" in
                --lang) words="en de" flags="" ;;
            esac ;;
        "init")
            words="" flags="--help --lang --version --config --force --url --name --client-id --client-secret-file --secret-env --public-url --tls-cert --tls-key --insecure-http --listen --admin-listen --data-dir --client --allow-insecure-loopback --test"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --config) return ;;
                --url) words="" flags="" ;;
                --name) words="" flags="" ;;
                --client-id) words="" flags="" ;;
                --client-secret-file) return ;;
                --secret-env) words="" flags="" ;;
                --public-url) words="" flags="" ;;
                --tls-cert) return ;;
                --tls-key) return ;;
                --listen) words="" flags="" ;;
                --admin-listen) words="" flags="" ;;
                --data-dir) return ;;
                --client) words="" flags="" ;;
            esac ;;
        "preflight")
            words="" flags="--help --lang --version --client-id --client-secret-file --sample --json --ca-file --proxy-url --allow-insecure-loopback"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --client-id) words="" flags="" ;;
                --client-secret-file) return ;;
                --sample) words="" flags="" ;;
                --ca-file) return ;;
                --proxy-url) words="" flags="" ;;
            esac ;;
        "serve")
            words="" flags="--help --lang --version --config"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --config) return ;;
            esac ;;
        "demo")
            words="" flags="--help --lang --version --listen --admin-listen --jamf-listen --data-dir --computers --mobiles --seed --faults --client-id --client-secret"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --listen) words="" flags="" ;;
                --admin-listen) words="" flags="" ;;
                --jamf-listen) words="" flags="" ;;
                --data-dir) return ;;
                --computers) words="" flags="" ;;
                --mobiles) words="" flags="" ;;
                --seed) words="" flags="" ;;
                --faults) words="calm hostile" flags="" ;;
                --client-id) words="" flags="" ;;
                --client-secret) words="" flags="" ;;
            esac ;;
        "fakejamf")
            words="" flags="--help --lang --version --listen --computers --mobiles --seed --faults --client-id --client-secret"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --listen) words="" flags="" ;;
                --computers) words="" flags="" ;;
                --mobiles) words="" flags="" ;;
                --seed) words="" flags="" ;;
                --faults) words="calm hostile" flags="" ;;
                --client-id) words="" flags="" ;;
                --client-secret) words="" flags="" ;;
            esac ;;
        "check")
            words="" flags="--help --lang --version --config --source --json --livez --as-client --client --client-secret-file --ca-file"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --config) return ;;
                --source) words="" flags="" ;;
                --client) words="" flags="" ;;
                --client-secret-file) return ;;
                --ca-file) return ;;
            esac ;;
        "status")
            words="" flags="--help --lang --version --config --admin --admin-token-file --watch --json"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --config) return ;;
                --admin) words="" flags="" ;;
                --admin-token-file) return ;;
            esac ;;
        "reload")
            words="" flags="--help --lang --version --config --admin --admin-token-file --by"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --config) return ;;
                --admin) words="" flags="" ;;
                --admin-token-file) return ;;
                --by) words="" flags="" ;;
            esac ;;
        "sync")
            words="" flags="--help --lang --version --kind --wait --config --admin --admin-token-file --by"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --kind) words="computer mobile" flags="" ;;
                --config) return ;;
                --admin) words="" flags="" ;;
                --admin-token-file) return ;;
                --by) words="" flags="" ;;
            esac ;;
        "approve")
            words="" flags="--help --lang --version --config --admin --admin-token-file --by"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --config) return ;;
                --admin) words="" flags="" ;;
                --admin-token-file) return ;;
                --by) words="" flags="" ;;
            esac ;;
        "expect-removals")
            words="" flags="--help --lang --version --until --config --admin --admin-token-file --by"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --until) words="" flags="" ;;
                --config) return ;;
                --admin) words="" flags="" ;;
                --admin-token-file) return ;;
                --by) words="" flags="" ;;
            esac ;;
        "source")
            words="remove" flags="--help --lang --version"
            case "$prev" in
                --lang) words="en de" flags="" ;;
            esac ;;
        "source remove")
            words="" flags="--help --lang --version --confirm --config --admin --admin-token-file --by"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --confirm) words="" flags="" ;;
                --config) return ;;
                --admin) words="" flags="" ;;
                --admin-token-file) return ;;
                --by) words="" flags="" ;;
            esac ;;
        "purge")
            words="" flags="--help --lang --version --confirm --config --admin --admin-token-file --by"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --confirm) words="" flags="" ;;
                --config) return ;;
                --admin) words="" flags="" ;;
                --admin-token-file) return ;;
                --by) words="" flags="" ;;
            esac ;;
        "show")
            words="" flags="--help --lang --version --serial --uid --source --client --shape --json --config --admin --admin-token-file --by"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --serial) words="" flags="" ;;
                --uid) words="" flags="" ;;
                --source) words="" flags="" ;;
                --client) words="" flags="" ;;
                --shape) words="both jamf normalized" flags="" ;;
                --config) return ;;
                --admin) words="" flags="" ;;
                --admin-token-file) return ;;
                --by) words="" flags="" ;;
            esac ;;
        "fields")
            words="" flags="--help --lang --version --config --client --format"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --config) return ;;
                --client) words="" flags="" ;;
                --format) words="text markdown json" flags="" ;;
            esac ;;
        "report")
            words="availability data-protection" flags="--help --lang --version"
            case "$prev" in
                --lang) words="en de" flags="" ;;
            esac ;;
        "report availability")
            words="" flags="--help --lang --version --days --source --config --data-dir --json --format"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --days) words="" flags="" ;;
                --source) words="" flags="" ;;
                --config) return ;;
                --data-dir) return ;;
                --format) words="text markdown" flags="" ;;
            esac ;;
        "report data-protection")
            words="" flags="--help --lang --version --config --format --out"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --config) return ;;
                --format) words="markdown html" flags="" ;;
                --out) return ;;
            esac ;;
        "audit")
            words="show verify" flags="--help --lang --version --since --client --source --kind --act --json --config --dir"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --since) words="" flags="" ;;
                --client) words="" flags="" ;;
                --source) words="" flags="" ;;
                --kind) words="computer mobile" flags="" ;;
                --act) words="" flags="" ;;
                --config) return ;;
                --dir) return ;;
            esac ;;
        "audit show")
            words="" flags="--help --lang --version --since --client --source --kind --act --json --config --dir"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --since) words="" flags="" ;;
                --client) words="" flags="" ;;
                --source) words="" flags="" ;;
                --kind) words="computer mobile" flags="" ;;
                --act) words="" flags="" ;;
                --config) return ;;
                --dir) return ;;
            esac ;;
        "audit verify")
            words="" flags="--help --lang --version --json --config --dir"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --config) return ;;
                --dir) return ;;
            esac ;;
        "diagnose")
            words="" flags="--help --lang --version --config --admin --admin-token-file --output"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --config) return ;;
                --admin) words="" flags="" ;;
                --admin-token-file) return ;;
                --output) return ;;
            esac ;;
        "client")
            words="new rotate" flags="--help --lang --version"
            case "$prev" in
                --lang) words="en de" flags="" ;;
            esac ;;
        "client new")
            words="" flags="--help --lang --version --id --sources --profile --config"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --id) words="" flags="" ;;
                --sources) words="" flags="" ;;
                --profile) words="" flags="" ;;
                --config) return ;;
            esac ;;
        "client rotate")
            words="" flags="--help --lang --version --config --days"
            case "$prev" in
                --lang) words="en de" flags="" ;;
                --config) return ;;
                --days) words="" flags="" ;;
            esac ;;
        "completion")
            words="bash zsh fish" flags="--help --lang --version"
            case "$prev" in
                --lang) words="en de" flags="" ;;
            esac ;;
        "help")
            words="" flags="--help --lang --version"
            case "$prev" in
                --lang) words="en de" flags="" ;;
            esac ;;
        "version")
            words="" flags="--help --lang --version"
            case "$prev" in
                --lang) words="en de" flags="" ;;
            esac ;;
    esac
    if [[ $cur == -* ]]; then words="$flags"; fi
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    compopt +o default 2>/dev/null
    return 0
}
complete -o default -F _jamf_gateway jamf-gateway
