package server_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"

	"jamf-gateway/gateway/server"
)

const (
	askAsClient = "GET /api/v1/computers-inventory?page-size=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
	guessToken  = "GET /v1/computers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer jgt_guess\r\n\r\n"
	placesThere = 4 // of one address
)

// Whoever shares an address with somebody who holds all of its connections gets in, and is not cut off while he asks, with TLS as without. Who has shown
// nothing makes room first, the oldest before the others; then who has waited the longest between requests; and nobody who is being answered.
func TestWhoSharesAnAddressWithItsHoldersGetsInAndStays(t *testing.T) {
	_ = (&fasthttp.Response{}).Header.String() // its clock of the Date header runs for ever, and must not begin in a bubble
	for _, secure := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d := openSlowDoorFor(t, secure, 4*placesThere, placesThere)
			asks := func(p *slowPeer, c net.Conn) { p.ask(c, p.filled(askAsClient), c) }
			holders := []*slowPeer{d.silent(), d.half(), d.answered(quickAsk, http.StatusOK), d.answered(guessToken, http.StatusUnauthorized)}

			client := d.come(1)
			c := client.open()
			asks(client, c)
			wantCut(t, "a silent one, when a client comes", holders[0], true)
			reading := make(chan int64)
			go func() {
				reading <- client.ask(c, client.filled(largeAsk), &sips{r: c, size: 96 << 10, pause: 9 * time.Second})
			}()
			for range 3 * placesThere {
				holders = append(holders, d.silent(), d.half(), d.answered(quickAsk, http.StatusOK))
			}
			live := 0
			for _, p := range holders {
				if !p.isCut() {
					live++
				}
			}
			if live != placesThere-1 {
				t.Errorf("TLS %v: %d strangers hold places beside a client, want %d", secure, live, placesThere-1)
			}
			if got := <-reading; got < 600<<10 {
				t.Errorf("TLS %v: a client that shares its address got %d bytes", secure, got)
			}
			wantCut(t, "a client that was answered, beside strangers", client, false)
			time.Sleep(2 * time.Minute) // all leave by themselves

			var clients []*slowPeer
			var lines []net.Conn
			for range placesThere {
				p := d.come(1)
				clients, lines = append(clients, p), append(lines, p.open())
				asks(p, lines[len(lines)-1])
				time.Sleep(time.Second)
			}
			asks(clients[0], lines[0]) // so that the second has waited longest
			next := d.come(1)
			late := next.open()
			asks(next, late)
			for i, p := range clients {
				wantCut(t, "a client that waits between requests", p, i == 1)
			}
			clients[1], lines[1] = next, late
			for i, p := range clients {
				go func() {
					reading <- p.ask(lines[i], p.filled(largeAsk), &sips{r: lines[i], size: 96 << 10, pause: 9 * time.Second})
				}()
			}
			synctest.Wait()
			wantCut(t, "one more, while all are answered", d.come(1), true)
			for range clients {
				if got := <-reading; got < 600<<10 {
					t.Errorf("TLS %v: one of the clients that are answered got %d bytes", secure, got)
				}
			}
			time.Sleep(2 * time.Minute) // fasthttp ends while its connections rest
			d.close()
		})
	}
}

func (d *slowDoor) silent() *slowPeer {
	p := d.come(1)
	p.deaf(p.raw)
	synctest.Wait()
	return p
}

func (d *slowDoor) half() *slowPeer {
	p := d.come(1)
	c := p.open()
	_, _ = io.WriteString(c, longAsk[:30])
	p.deaf(c)
	synctest.Wait()
	return p
}

// answered asks once, and stays.
func (d *slowDoor) answered(raw string, want int) *slowPeer {
	p := d.come(1)
	c := p.open()
	_, _ = io.WriteString(c, raw)
	rs, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || rs.StatusCode != want {
		d.t.Errorf("answered %v: %v", rs, err)
		return p
	}
	_, _ = io.Copy(io.Discard, rs.Body)
	_ = rs.Body.Close()
	p.deaf(c)
	return p
}

// isCut tells whether the server has ended the connection.
func (p *slowPeer) isCut() bool {
	synctest.Wait()
	return len(p.closed) > 0
}

func wantCut(t *testing.T, who string, p *slowPeer, want bool) {
	t.Helper()
	if got := p.isCut(); got != want {
		t.Errorf("%s: cut off is %v", who, got)
	}
}

// Who guesses keeps its place for as long as its answer is held: otherwise a connection for each guess would be a way around what a guess costs.
func TestWhoIsHeldForAGuessMakesNoRoom(t *testing.T) { synctest.Test(t, whoIsHeldMakesNoRoom) }

func whoIsHeldMakesNoRoom(t *testing.T) {
	coming := make(chan net.Conn, 1)
	door := server.NewDoor(&comers{coming, t.Context()}, 3, 2)
	come := func() net.Conn {
		_, far := net.Pipe()
		coming <- &comer{Conn: far, from: 1, closed: make(chan time.Time, 1)}
		c, err := door.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	one, two := come(), come()
	paid, there := server.Pay(one)
	_, both := server.Pay(two)
	if !there || !both {
		t.Fatal("a guest is not there")
	}
	far := make(chan time.Time, 1)
	_, end := net.Pipe()
	coming <- &comer{Conn: end, from: 1, closed: far}
	accepted := make(chan net.Conn)
	go func() {
		c, _ := door.Accept() // refuses the first and waits for the second
		accepted <- c
	}()
	<-far
	paid()
	_, end = net.Pipe()
	coming <- &comer{Conn: end, from: 1, closed: make(chan time.Time, 1)}
	if c := <-accepted; c == nil {
		t.Fatal("nobody was let in")
	}
	if _, there := server.Pay(one); there {
		t.Error("the one that has paid made no room")
	}
	if _, there := server.Pay(two); !there {
		t.Error("the one that is held made room")
	}
}

// Who guesses from many addresses fills the door, and keeps nobody out who has few connections; but so few are let in like that in a second that it is no
// way around what a guess costs.
func TestAFullDoorMakesRoomForWhoHasFewConnections(t *testing.T) { synctest.Test(t, fullDoorMakesRoom) }

func fullDoorMakesRoom(t *testing.T) {
	const most, each, few = 64, 32, 8 // a quarter of what one address may hold
	coming, in := make(chan net.Conn), make(chan net.Conn, most)
	door := server.NewDoor(&comers{coming, t.Context()}, most, each)
	go func() {
		for {
			c, err := door.Accept()
			if err != nil {
				return
			}
			in <- c
		}
	}()
	come := func(from byte) (c net.Conn, cut chan time.Time) {
		_, far := net.Pipe()
		cut = make(chan time.Time, 1)
		coming <- &comer{Conn: far, from: from, closed: cut}
		synctest.Wait()
		select {
		case c = <-in:
		default:
		}
		return c, cut
	}
	var guessing []chan time.Time
	for i := range most {
		c, cut := come(1 + byte(i/each))
		if _, there := server.Pay(c); !there {
			t.Fatal("a guesser is not there")
		}
		guessing = append(guessing, cut)
	}
	if c, _ := come(1); c != nil {
		t.Error("one of those who guess is let in once more")
	}
	cutOf := func() (n int) {
		for _, cut := range guessing {
			n += len(cut)
		}
		return n
	}
	for i := range few {
		if c, _ := come(3); c == nil || cutOf() != i+1 {
			t.Fatalf("connection %d of another address: let in %v, %d guessers made room", i+1, c != nil, cutOf())
		}
		if c, _ := come(4); c != nil {
			t.Fatal("a second one is let in within a second")
		}
		time.Sleep(time.Second)
	}
	if len(guessing[0]) != 1 || len(guessing[each]) != 1 {
		t.Error("not the oldest of those with most made room")
	}
	if c, _ := come(3); c != nil {
		t.Error("who has several is let in as well")
	}
	if c, _ := come(4); c == nil {
		t.Error("somebody else is not let in")
	}
}
