package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// The libraries that complete for kong have had no release since 2022 and 2023 and need a completer of 2019; a static script
// also asks no program at each key.

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints the script with which a shell completes commands, flags and fixed values.
func (c completionCommand) Run(k *kong.Context, s streams) error {
	places := placesOf(k.Model.Node, "")
	script := map[string]func([]place) string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[c.Shell]
	_, err := io.WriteString(s.out, script(places))
	return err
}

// place is where one can be on a command line: after the words of path.
type place struct {
	path  string // "client new"; "" = after the name of the program
	words []hint // subcommands, or the fixed values of an argument
	flags []hint
}

// hint is a word that may come next.
type hint struct {
	word, help string
	takes      taking
	values     []string // fixed ones, with takesWords
}

// taking is what follows a flag.
type taking int

const (
	takesNothing taking = iota
	takesWords
	takesFile
	takesValue
)

// placesOf walks the commands of kong's model, parents first.
func placesOf(n *kong.Node, path string) []place {
	p := place{path: path}
	groups := n.AllFlags(true)
	if n.DefaultCmd != nil { // which takes its flags without being named
		groups = n.DefaultCmd.AllFlags(true)
	}
	for _, group := range groups {
		for _, f := range group {
			p.flags = append(p.flags, flagHint(f))
		}
	}
	for _, arg := range n.Positional {
		for _, v := range enumOf(arg) {
			p.words = append(p.words, hint{word: v})
		}
	}
	var below []place
	for _, child := range n.Children {
		if child.Hidden {
			continue
		}
		p.words = append(p.words, hint{word: child.Name, help: child.Help})
		below = append(below, placesOf(child, strings.TrimSpace(path+" "+child.Name))...)
	}
	return append([]place{p}, below...)
}

func flagHint(f *kong.Flag) hint {
	h := hint{word: f.Name, help: f.Help, takes: takesValue, values: enumOf(f.Value)}
	switch {
	case f.IsBool():
		h.takes = takesNothing
	case len(h.values) > 0:
		h.takes = takesWords
	case f.PlaceHolder == "FILE" || f.PlaceHolder == "DIR":
		h.takes = takesFile
	}
	return h
}

// enumOf lists the fixed values, without the empty one.
func enumOf(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return slices.DeleteFunc(v.EnumSlice(), func(s string) bool { return s == "" })
}

// words joins hints, each with a prefix.
func words(hints []hint, prefix string) string {
	out := make([]string, 0, len(hints))
	for _, h := range hints {
		out = append(out, prefix+h.word)
	}
	return strings.Join(out, " ")
}

// steps are the cases that follow the command line word by word.
func steps(places []place, indent string) string {
	var b strings.Builder
	for _, p := range places[1:] {
		before, word := "", p.path
		if i := strings.LastIndexByte(p.path, ' '); i >= 0 {
			before, word = p.path[:i], p.path[i+1:]
		}
		fmt.Fprintf(&b, "%s%q) place=%q ;;\n", indent, before+" "+word, p.path)
	}
	return b.String()
}

func bashScript(places []place) string {
	var b strings.Builder
	b.WriteString(`# bash completion of jamf-gateway: source <(jamf-gateway completion bash)
_jamf_gateway() {
    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" place="" words="" flags="" i
    if [[ $cur == "=" ]]; then cur=""; elif [[ $prev == "=" ]]; then prev="${COMP_WORDS[COMP_CWORD-2]}"; fi
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$place ${COMP_WORDS[i]}" in
` + steps(places, "            ") + `        esac
    done
    case "$place" in
`)
	for _, p := range places {
		fmt.Fprintf(&b, "        %q)\n            words=%q flags=%q\n            case \"$prev\" in\n", p.path, words(p.words, ""), words(p.flags, "--"))
		for _, f := range p.flags {
			switch f.takes {
			case takesWords:
				fmt.Fprintf(&b, "                --%s) words=%q flags=\"\" ;;\n", f.word, strings.Join(f.values, " "))
			case takesFile:
				fmt.Fprintf(&b, "                --%s) return ;;\n", f.word)
			case takesValue:
				fmt.Fprintf(&b, "                --%s) words=\"\" flags=\"\" ;;\n", f.word)
			case takesNothing:
			}
		}
		b.WriteString("            esac ;;\n")
	}
	b.WriteString(`    esac
    if [[ $cur == -* ]]; then words="$flags"; fi
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    compopt +o default 2>/dev/null
    return 0
}
complete -o default -F _jamf_gateway jamf-gateway
`)
	return b.String()
}

func zshScript(places []place) string {
	var b strings.Builder
	b.WriteString(`#compdef jamf-gateway
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
` + steps(places, "            ") + `        esac
    done
    case "$place" in
`)
	item := func(prefix string, h hint) string {
		text := prefix + h.word
		if h.help != "" {
			text += ":" + h.help
		}
		return " " + shellQuoted(text)
	}
	for _, p := range places {
		fmt.Fprintf(&b, "        %q)\n            case \"$prev\" in\n", p.path)
		for _, f := range p.flags {
			switch f.takes {
			case takesWords:
				fmt.Fprintf(&b, "                --%s) compadd -- %s; return ;;\n", f.word, strings.Join(f.values, " "))
			case takesFile:
				fmt.Fprintf(&b, "                --%s) _files; return ;;\n", f.word)
			case takesValue:
				fmt.Fprintf(&b, "                --%s) return ;;\n", f.word)
			case takesNothing:
			}
		}
		b.WriteString("            esac\n            commands=(")
		for _, w := range p.words {
			b.WriteString(item("", w))
		}
		b.WriteString(" )\n            flags=(")
		for _, f := range p.flags {
			b.WriteString(item("--", f))
		}
		b.WriteString(" ) ;;\n")
	}
	b.WriteString(`    esac
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
`)
	return b.String()
}

func fishScript(places []place) string {
	var b strings.Builder
	b.WriteString(`# fish completion of jamf-gateway: jamf-gateway completion fish > ~/.config/fish/completions/jamf-gateway.fish
function __jamf_gateway_at
    set -l place ""
    for word in (commandline -opc)[2..]
        switch "$place $word"
`)
	for line := range strings.SplitSeq(strings.TrimSpace(steps(places, "")), "\n") {
		name, at, _ := strings.Cut(line, ") place=")
		fmt.Fprintf(&b, "            case %s\n                set place %s\n", name, strings.TrimSuffix(at, " ;;"))
	}
	b.WriteString(`        end
    end
    test "$place" = "$argv[1]"
end
complete -c jamf-gateway -f
`)
	for _, p := range places {
		at := fmt.Sprintf("complete -c jamf-gateway -n '__jamf_gateway_at %q'", p.path)
		line := func(format string, args ...any) { fmt.Fprintf(&b, at+" "+format+"\n", args...) }
		for _, w := range p.words {
			line("-a %s -d %s", w.word, fishQuoted(w.help))
		}
		for _, f := range p.flags {
			switch f.takes {
			case takesWords:
				line("-l %s -x -a '%s' -d %s", f.word, strings.Join(f.values, " "), fishQuoted(f.help))
			case takesFile:
				line("-l %s -r -F -d %s", f.word, fishQuoted(f.help))
			case takesValue:
				line("-l %s -x -d %s", f.word, fishQuoted(f.help))
			case takesNothing:
				line("-l %s -d %s", f.word, fishQuoted(f.help))
			}
		}
	}
	return b.String()
}

// shellQuoted is text within single quotes of a POSIX shell.
func shellQuoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// fishQuoted is text within single quotes of fish.
func fishQuoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
