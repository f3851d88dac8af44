package server

import (
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// The file of the ended tokens: a head with the format and the moment before which every token is refused, then a line for each token: digest,
// expiry in seconds, client. Every line ends in its own checksum, so that no flipped byte brings a token back.
// Files of before had neither head nor checksums.
const (
	endedFormat = 2
	endedHead   = "ended-tokens"
	endedFields = 3
	sumLen      = 8
)

var errEndedDamaged = errors.New("a line is damaged")

// sealed is a line with its checksum.
func sealed(text string) string {
	return fmt.Sprintf("%s %08x\n", text, crc32.ChecksumIEEE([]byte(text)))
}

// unsealed is a line without its checksum, false where that is wrong.
func unsealed(line string) (text string, ok bool) {
	at := strings.LastIndexByte(line, ' ')
	return line[:max(at, 0)], at > 0 && sealed(line[:at]) == line+"\n"
}

func headLine(before int64) string {
	return sealed(fmt.Sprintf("%s %d %d", endedHead, endedFormat, before))
}

func (t endedToken) line(name tokenName) string {
	return sealed(hex.EncodeToString(name[:]) + " " + strconv.FormatInt(t.expires, 10) + " " + t.client)
}

// read takes up the tokens that would live. An error means that some are not known. Half a line at the end is no error: nobody was told that
// the token has ended.
func (e *ended) read(data []byte) error {
	text := string(data)
	head, rest, _ := strings.Cut(text, "\n")
	if !strings.HasPrefix(head, endedHead) {
		return e.readLines(text, func(line string) (string, bool) {
			if text, ok := unsealed(line); ok { // the head alone is damaged
				return text, true
			}
			return line, true
		})
	}
	text, ok := unsealed(head)
	var format int
	var before int64
	if n, err := fmt.Sscanf(text, endedHead+" %d %d", &format, &before); !ok || n == 0 {
		return errors.Join(errEndedDamaged, err, e.readLines(rest, unsealed))
	}
	if format != endedFormat {
		return fmt.Errorf("the file has format %d, this release reads %d", format, endedFormat)
	}
	e.before.Store(before)
	return e.readLines(rest, unsealed)
}

// readLines reads on over what is damaged: a token that is known to have ended has ended.
func (e *ended) readLines(text string, open func(line string) (string, bool)) (err error) {
	now := e.now().Unix()
	for text != "" {
		line, rest, whole := strings.Cut(text, "\n")
		text = rest
		if line == "" {
			continue // between what two releases ago was appended
		}
		content, ok := open(line)
		if ok {
			ok = e.take(content, now)
		}
		if !ok && (whole || !half(line)) {
			err = errEndedDamaged
		}
	}
	return err
}

// half tells that a line without its end is what a crash or a full disk left of one. One that is no shorter than a whole one is damaged.
func half(line string) bool {
	part := strings.Fields(line)
	return len(part) <= endedFields || len(part) == endedFields+1 && len(part[endedFields]) < sumLen
}

// take takes up one line, if it is one.
func (e *ended) take(content string, now int64) bool {
	part := strings.Fields(content)
	var name tokenName
	if len(part) != endedFields || hex.DecodedLen(len(part[0])) != len(name) {
		return false
	}
	_, bad := hex.Decode(name[:], []byte(part[0]))
	expires, err := strconv.ParseInt(part[1], 10, 64)
	if bad != nil || err != nil {
		return false
	}
	if expires > now {
		e.put(name, endedToken{part[2], expires})
	}
	return true
}

// append adds a line. Where that fails, half of it may stand there: nothing is appended to that.
func (e *ended) append(name tokenName, t endedToken) error {
	if err := e.disk.Append(e.file, []byte(t.line(name))); err != nil {
		e.torn = true
		return fmt.Errorf("write an ended token: %w", err)
	}
	e.lines++
	return nil
}

// rewrite leaves the lines of tokens that would live.
func (e *ended) rewrite() error {
	var out strings.Builder
	out.WriteString(headLine(e.refusedBefore()))
	lines, now := 1, e.now().Unix()
	e.mu.RLock()
	for name, t := range e.tokens {
		if t.expires > now {
			out.WriteString(t.line(name))
			lines++
		}
	}
	e.mu.RUnlock()
	if err := e.disk.ReplaceFile(e.file, []byte(out.String())); err != nil {
		return err
	}
	e.lines, e.torn = lines, false
	return nil
}
