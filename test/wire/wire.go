// Package wire holds what can go wrong in the bytes of an HTTP/1 request, and what real clients send that is legal and rare.
// It speaks to a socket, makes the certificate that one with TLS needs, and knows nothing of the gateway. Only tests use it.
package wire

import (
	"bufio"
	"bytes"
	"context"
	_ "embed" // the tables are files of their own
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

//go:embed hostile.txt
var hostile string

//go:embed benign.txt
var benign string

// Case is one sequence of bytes and what is answered to it.
type Case struct {
	Name     string
	Raw      string // holds {token} where an access token belongs
	Statuses []int  // of the answers, in their order
	Closed   bool   // the connection ends with the last of them
}

// Hostile are requests that must be refused, and whose connection is closed.
func Hostile() ([]Case, error) { return parse(hostile, true) }

// Benign are requests that must be answered, and whose connection stays open unless the case says otherwise.
func Benign() ([]Case, error) { return parse(benign, false) }

// repeat is {x*N} in a table: N times x.
var repeat = regexp.MustCompile(`(?s)\{(.+?)\*(\d+)\}`)

// parse reads a table: STATUS[,STATUS...][ closed] | NAME | BYTES, with Go's escapes in the bytes.
func parse(table string, closed bool) ([]Case, error) {
	var out []Case
	seen := map[string]bool{}
	for i, line := range strings.Split(table, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		part := strings.SplitN(line, " | ", 3)
		if len(part) != 3 || seen[part[1]] {
			return nil, fmt.Errorf("line %d: STATUS | NAME | BYTES with a name of its own, not %q", i+1, line)
		}
		seen[part[1]] = true
		raw, err := strconv.Unquote(`"` + strings.ReplaceAll(part[2], `"`, `\"`) + `"`)
		if err != nil {
			return nil, fmt.Errorf("line %d: %q: %w", i+1, part[2], err)
		}
		c := Case{Name: part[1], Closed: closed, Raw: repeat.ReplaceAllStringFunc(raw, func(s string) string {
			m := repeat.FindStringSubmatch(s)
			n, _ := strconv.Atoi(m[2]) // digits
			return strings.Repeat(m[1], n)
		})}
		statuses, ends := strings.CutSuffix(part[0], " closed")
		c.Closed = c.Closed || ends
		for text := range strings.SplitSeq(statuses, ",") {
			status, err := strconv.Atoi(text)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			c.Statuses = append(c.Statuses, status)
		}
		out = append(out, c)
	}
	return out, nil
}

// Answer is one answer to bytes.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Last is a request that is well formed, and the last one of its connection: who answers it has found its beginning where it is.
// Nothing else in the tables is answered with a 204 that ends the connection.
const Last = "OPTIONS /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

// Send sends bytes in pieces of a size (0: at once) and Last behind them, and reads every answer but that to Last. closed tells
// that Last was not answered. The error is one of dialing, or of an answer that does not come within 5 s or is none.
func Send(ctx context.Context, address, raw string, size int) (answers []Answer, closed bool, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, false, err
	}
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, false, errors.Join(err, conn.Close())
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		write(conn, []byte(raw+Last), size)
	}()
	defer func() {
		_ = conn.Close()
		<-written
	}()
	r := bufio.NewReader(conn)
	for {
		method := http.MethodGet
		if len(answers) == 0 && strings.HasPrefix(strings.TrimLeft(raw, "\r\n"), http.MethodHead+" ") {
			method = http.MethodHead
		}
		rs, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return answers, true, timedOut(err)
		}
		body, err := io.ReadAll(rs.Body)
		_ = rs.Body.Close()
		if err != nil {
			return answers, true, fmt.Errorf("read the body of answer %d: %w", len(answers)+1, err)
		}
		switch {
		case rs.StatusCode < http.StatusOK: // 100 Continue
		case rs.StatusCode == http.StatusNoContent && rs.Close:
			return answers, false, nil
		default:
			answers = append(answers, Answer{rs.StatusCode, rs.Header, bytes.Clone(body)})
		}
	}
}

// write writes until somebody has had enough.
func write(conn net.Conn, rest []byte, size int) {
	for len(rest) > 0 {
		n := len(rest)
		if size > 0 {
			n = min(n, size)
		}
		if _, err := conn.Write(rest[:n]); err != nil {
			return
		}
		rest = rest[n:]
	}
}

// timedOut keeps of the ways in which a connection ends only that it does not.
func timedOut(err error) error {
	if e, ok := err.(net.Error); ok && e.Timeout() { //nolint:errorlint // as net returns it
		return err
	}
	return nil
}
