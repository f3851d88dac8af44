package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// Everybody on this machine has the operator's address. However many connections they hold, who has the token gets in and stays in.
func TestStrangersOfTheSameMachineKeepNoOperatorOut(t *testing.T) {
	w := newWorld(t)
	address := strings.TrimPrefix(w.admin, "http://")
	dial := func() net.Conn {
		t.Helper()
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	ask := func(c net.Conn, token string) (status int) {
		t.Helper()
		if _, err := fmt.Fprintf(c, "GET /v1/admin/sources HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", address, token); err != nil {
			return 0
		}
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return 0
		}
		defer func() { _ = r.Body.Close() }()
		_, _ = io.Copy(io.Discard, r.Body)
		return r.StatusCode
	}
	const places = 16 // of one address
	operator := dial()
	if status := ask(operator, adminToken); status != http.StatusOK {
		t.Fatalf("the operator is answered %d", status)
	}
	var strangers []net.Conn
	for i := range 3 * places {
		c := dial()
		strangers = append(strangers, c)
		if i%2 == 0 { // some say nothing, some guess
			if status := ask(c, "jga_guess"); status != http.StatusUnauthorized && status != http.StatusTooManyRequests {
				t.Fatalf("stranger %d is answered %d", i, status)
			}
		}
	}
	if status := ask(dial(), adminToken); status != http.StatusOK {
		t.Errorf("a new connection with the token is answered %d", status)
	}
	if status := ask(operator, adminToken); status != http.StatusOK {
		t.Errorf("the connection of before is answered %d", status)
	}
	held := 0
	for _, c := range strangers {
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			held++
		}
	}
	if held > places-2 {
		t.Errorf("strangers hold %d places of %d, and operators two", held, places)
	}
}

func TestWhoHasShownTheTokenMakesRoomForNobody(t *testing.T) {
	w := newWorld(t)
	address := strings.TrimPrefix(w.admin, "http://")
	var known []net.Conn
	for range 16 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		known = append(known, c)
	}
	ask := func(c net.Conn) bool {
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = fmt.Fprintf(c, "GET /v1/admin/sources HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", address, adminToken)
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return false
		}
		defer func() { _ = r.Body.Close() }()
		_, err = io.Copy(io.Discard, r.Body)
		return err == nil && r.StatusCode == http.StatusOK
	}
	for _, c := range known {
		if !ask(c) {
			t.Fatal("an operator is not answered")
		}
	}
	if c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address); err == nil {
		if ask(c) {
			t.Error("a seventeenth connection of one address is let in")
		}
		_ = c.Close()
	}
	for i, c := range known {
		if !ask(c) {
			t.Errorf("connection %d was cut off", i)
		}
	}
}
