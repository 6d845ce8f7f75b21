package conformance

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
)

// participant plays the business services of one test: it answers by script and records every call in order of arrival.
type participant struct {
	server *httptest.Server

	mu           sync.Mutex
	scripts      map[string][]answer
	counts       map[string]int
	calls        []*call
	grpcListener net.Listener
	grpcServer   *grpc.Server
}

// call is one request of the server to a participant.
type call struct {
	name     string
	method   string
	path     string
	rawQuery string
	query    url.Values
	header   http.Header
	body     string
	arrived  time.Time
	// answered is zero while the answer is under way.
	answered time.Time
}

// answer is one scripted reaction to a call.
type answer func(w http.ResponseWriter, r *http.Request)

// newParticipant starts a participant on a free port of the loopback interface; it ends with the test.
func newParticipant(t *testing.T) *participant {
	p := &participant{scripts: map[string][]answer{}, counts: map[string]int{}}
	p.server = httptest.NewServer(p)
	t.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
		if p.grpcServer != nil {
			p.grpcServer.Stop()
		}
	})
	return p
}

// url is where the branch of this name is called.
func (p *participant) url(name string) string {
	return p.server.URL + "/" + name
}

// on scripts the answers to the next calls of a name, one by one; the last repeats. A name without script succeeds.
// A script of `name:op` goes before that of the name.
func (p *participant) on(name string, answers ...answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scripts[name] = answers
	p.counts[name] = 0
}

// ServeHTTP records the call and plays its answer.
func (p *participant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	name, query := strings.TrimPrefix(r.URL.Path, "/"), r.URL.Query()
	if method := query.Get("method"); method != "" {
		name = method
		query, body = asQuery(query, body)
	}
	c := &call{
		name:     name,
		method:   r.Method,
		path:     r.URL.Path,
		rawQuery: r.URL.RawQuery,
		query:    query,
		header:   r.Header.Clone(),
		body:     string(body),
		arrived:  time.Now(),
	}
	react := p.record(c)
	react(w, r)
	p.mu.Lock()
	c.answered = time.Now()
	p.mu.Unlock()
}

func (p *participant) record(c *call) answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, c)
	name := c.name
	if op := c.query.Get("op"); len(p.scripts[name+":"+op]) > 0 {
		name += ":" + op
	}
	script := p.scripts[name]
	if len(script) == 0 {
		return success
	}
	turn := p.counts[name]
	if last := len(script) - 1; turn > last {
		turn = last
	}
	p.counts[name]++
	return script[turn]
}

// order is the names of all calls so far, in order of arrival.
func (p *participant) order() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := []string{}
	for _, c := range p.calls {
		names = append(names, c.name)
	}
	return names
}

// ops is the names of all calls so far with their ops, `name:op`, in order of arrival.
func (p *participant) ops() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := []string{}
	for _, c := range p.calls {
		names = append(names, c.name+":"+c.query.Get("op"))
	}
	return names
}

// to is the calls of one name so far, in order of arrival, as they are now.
func (p *participant) to(name string) []call {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := []call{}
	for _, c := range p.calls {
		if c.name == name {
			found = append(found, *c)
		}
	}
	return found
}

// waitForCalls waits until a name has been called this often.
func (p *participant) waitForCalls(t *testing.T, name string, count int) {
	t.Helper()
	waitFor(t, fmt.Sprintf("call %d of %s", count, name), func() bool { return len(p.to(name)) >= count })
}

// respond answers with a status and a body.
func respond(status int, body string) answer {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

var (
	success       = respond(http.StatusOK, `{"dtm_result":"SUCCESS"}`)
	failure       = respond(http.StatusConflict, `{"error":"out of stock"}`)
	failureByBody = respond(http.StatusOK, `{"dtm_result":"FAILURE","message":"out of stock"}`)
	ongoing       = respond(http.StatusTooEarly, `{"error":"still packing"}`)
	ongoingByBody = respond(http.StatusOK, `{"dtm_result":"ONGOING"}`)
	broken        = respond(http.StatusInternalServerError, `{"error":"database is away"}`)
)

// late waits before it answers; it gives up when the caller has gone.
func late(delay time.Duration, then answer) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
			then(w, r)
		case <-r.Context().Done():
		}
	}
}

// meeting makes answers that succeed only when this many calls are under way at the same time, and fail otherwise.
func meeting(count int) answer {
	var all sync.WaitGroup
	all.Add(count)
	met := make(chan struct{})
	go func() {
		all.Wait()
		close(met)
	}()
	return func(w http.ResponseWriter, r *http.Request) {
		all.Done()
		select {
		case <-met:
			success(w, r)
		case <-time.After(2 * time.Second):
			respond(http.StatusConflict, `{"error":"the calls did not overlap"}`)(w, r)
		}
	}
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(fmt.Sprintf("hijack: %v", err))
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
}
