// Package conformance drives a running Amends with the Go client of DTM, as a black box.
package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmcli/logger"
)

var (
	// amends is where the server under test listens, without a trailing slash.
	amends = strings.TrimSuffix(os.Getenv("AMENDS_URL"), "/")
	// dtm is the prefix that DTM clients are configured with.
	dtm = amends + "/api/dtmsvr"
)

// patience is how long a state that must come may take, beyond what the test itself arranges.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if amends == "" {
		fmt.Fprintln(os.Stderr, "AMENDS_URL is not set: give the address of a running Amends, such as http://127.0.0.1:36789")
		os.Exit(1)
	}
	logger.InitLog("fatal") // The client tells of every call.
	if err := startWorkflows(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// transaction is a global transaction as `query` and `all` show it.
type transaction struct {
	ID             int64     `json:"id"`
	CreateTime     time.Time `json:"create_time"`
	UpdateTime     time.Time `json:"update_time"`
	Gid            string    `json:"gid"`
	TransType      string    `json:"trans_type"`
	Status         string    `json:"status"`
	RollbackReason string    `json:"rollback_reason"`
	Options        string    `json:"options"`
}

// branch is one op of one branch as `query` shows it.
type branch struct {
	ID         int64     `json:"id"`
	CreateTime time.Time `json:"create_time"`
	UpdateTime time.Time `json:"update_time"`
	Gid        string    `json:"gid"`
	URL        string    `json:"url"`
	BinData    []byte    `json:"bin_data"`
	BranchID   string    `json:"branch_id"`
	Op         string    `json:"op"`
	Status     string    `json:"status"`
}

// snapshot is the answer of `query`.
type snapshot struct {
	Transaction *transaction `json:"transaction"`
	Branches    []branch     `json:"branches"`
}

// statuses is the status of each op in the order of the answer.
func (s snapshot) statuses() []string {
	found := []string{}
	for _, b := range s.Branches {
		found = append(found, b.Status)
	}
	return found
}

// answerOf is what the server said to one request.
type answerOf struct {
	status int
	header http.Header
	body   string
}

// get reads a path below the server's root.
func get(t *testing.T, path string) answerOf {
	t.Helper()
	response, err := http.Get(amends + path)
	return readAnswer(t, response, err)
}

// post sends a JSON text to a route of the DTM face.
func post(t *testing.T, route string, body string) answerOf {
	t.Helper()
	response, err := http.Post(dtm+"/"+route, "application/json", strings.NewReader(body))
	return readAnswer(t, response, err)
}

// postGid sends {"gid": …} to a route of the DTM face.
func postGid(t *testing.T, route string, gid string) answerOf {
	t.Helper()
	return post(t, route, toJSON(t, map[string]string{"gid": gid}))
}

// newGid takes a gid by the client, whose panic fails this test only.
func newGid(t *testing.T) string {
	t.Helper()
	defer func() {
		if problem := recover(); problem != nil {
			t.Fatal(problem)
		}
	}()
	return dtmcli.MustGenGid(dtm)
}

func readAnswer(t *testing.T, response *http.Response, err error) answerOf {
	t.Helper()
	if err != nil {
		t.Fatalf("the server does not answer: %v", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("the server's answer ends early: %v", err)
	}
	return answerOf{status: response.StatusCode, header: response.Header, body: string(body)}
}

// query reads a transaction that must exist.
func query(t *testing.T, gid string) snapshot {
	t.Helper()
	answer := get(t, "/api/dtmsvr/query?gid="+url.QueryEscape(gid))
	if answer.status != http.StatusOK {
		t.Fatalf("query of %s: %d %s", gid, answer.status, answer.body)
	}
	var s snapshot
	fromJSON(t, answer.body, &s)
	if s.Transaction == nil {
		t.Fatalf("query of %s: no such transaction", gid)
	}
	return s
}

// waitForStatus polls `query` until the transaction has a status, and fails if it ends in another one.
func waitForStatus(t *testing.T, gid string, status string) snapshot {
	t.Helper()
	var s snapshot
	waitFor(t, "status "+status, func() bool {
		s = query(t, gid)
		now := s.Transaction.Status
		if now != status && (now == dtmcli.StatusSucceed || now == dtmcli.StatusFailed) {
			t.Fatalf("transaction ended as %s instead of %s; reason %q, branches %v", now, status, s.Transaction.RollbackReason, s.statuses())
		}
		return now == status
	})
	return s
}

// waitFor polls until something holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come within %v", what, patience)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// holdsFor watches that something stays so for a while.
func holdsFor(t *testing.T, what string, span time.Duration, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if !holds() {
			t.Fatalf("%s did not last %v", what, span)
		}
	}
}

// equal reports a difference.
func equal(t *testing.T, what string, got any, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %#v, want %#v", what, got, want)
	}
}

// contains reports a missing part of a text.
func contains(t *testing.T, what string, text string, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%s: %q does not contain %q", what, text, part)
	}
}

// between reports a duration outside of its bounds. It is measured from before the server can have begun to count,
// so that the lower bound always holds; the upper one leaves room for a busy machine.
func between(t *testing.T, what string, got time.Duration, least time.Duration, most time.Duration) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s: %v, want %v to %v", what, got, least, most)
	}
}

func toJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatalf("cannot write JSON: %v", err)
	}
	return string(text)
}

func fromJSON(t *testing.T, text string, value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), value); err != nil {
		t.Fatalf("not the JSON that was expected: %v in %s", err, text)
	}
}
