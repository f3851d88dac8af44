package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"jamf-gateway/test/wire"
)

func TestHostileBytesAreRefusedAndTheirConnectionClosed(t *testing.T) {
	cases, err := wire.Hostile()
	if err != nil || len(cases) < 60 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	w := newWorld(t)
	for _, tc := range cases {
		for _, size := range []int{0, 1} {
			if size > 0 && len(tc.Raw) > 1000 {
				continue
			}
			answers, closed := w.send(tc, size)
			if got := statuses(answers); got != fmt.Sprint(tc.Statuses) || !closed {
				t.Errorf("%s, pieces of %d: answers %s, connection closed: %v; want %v and a closed connection", tc.Name, size, got, closed, tc.Statuses)
			}
			target := strings.SplitN(tc.Raw, " ", 3)
			if len(answers) == 1 && len(target) == 3 && strings.HasPrefix(target[1], "/") {
				w.described(target[0], w.base+target[1], reply{answers[0].Status, answers[0].Header, answers[0].Body})
			}
		}
	}
}

func TestLegalBytesPassUnchanged(t *testing.T) {
	cases, err := wire.Benign()
	if err != nil || len(cases) < 24 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	w := newWorld(t)
	w.publishAll(5)
	token := w.token("all")
	for _, tc := range cases {
		tc.Raw = strings.ReplaceAll(tc.Raw, "{token}", token)
		for _, size := range []int{0, 1} {
			answers, closed := w.send(tc, size)
			if got := statuses(answers); got != fmt.Sprint(tc.Statuses) || closed != tc.Closed {
				t.Errorf("%s, pieces of %d: answers %s, connection closed: %v; want %v, %v", tc.Name, size, got, closed, tc.Statuses, tc.Closed)
			}
			for _, a := range answers {
				if a.Status == http.StatusBadRequest {
					t.Errorf("%s: %s", tc.Name, a.Body)
				}
			}
		}
	}
}

func (w *world) send(tc wire.Case, size int) (answers []wire.Answer, closed bool) {
	w.t.Helper()
	answers, closed, err := wire.Send(w.t.Context(), strings.TrimPrefix(w.base, "http://"), tc.Raw, size)
	if err != nil {
		w.t.Errorf("%s: %v", tc.Name, err)
	}
	return answers, closed
}

func statuses(answers []wire.Answer) string {
	out := []int{}
	for _, a := range answers {
		out = append(out, a.Status)
	}
	return fmt.Sprint(out)
}
