package conformance

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
)

// newMsg makes a two-phase message with these actions at the participant, which retries after one second.
func newMsg(t *testing.T, p *participant, actions ...string) *dtmcli.Msg {
	t.Helper()
	msg := dtmcli.NewMsg(dtm, newGid(t))
	msg.RetryInterval = 1
	for _, action := range actions {
		msg.Add(p.url(action), payload{Amount: 30})
	}
	return msg
}

func TestMsgPrepareAndSubmit(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a2", broken, success)
	msg := newMsg(t, p, "a1", "a2")
	if err := msg.Prepare(p.url("query")); err != nil {
		t.Fatalf("prepare: %v", err)
	}
	equal(t, "status", query(t, msg.Gid).Transaction.Status, dtmcli.StatusPrepared)
	equal(t, "calls before submit", p.order(), []string{})
	if err := msg.Submit(); err != nil {
		t.Fatalf("submit: %v", err)
	}
	waitForStatus(t, msg.Gid, dtmcli.StatusSucceed)
	equal(t, "calls of a1", len(p.to("a1")), 1)
	equal(t, "calls of a2", len(p.to("a2")), 2)
	equal(t, "trans_type", p.to("a1")[0].query.Get("trans_type"), "msg")
	equal(t, "op", p.to("a1")[0].query.Get("op"), "action")
	equal(t, "body", p.to("a1")[0].body, `{"amount":30}`)
}

func TestMsgDoAndSubmit(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	msg := newMsg(t, p, "a1")
	if err := msg.DoAndSubmit(p.url("query"), func(*dtmcli.BranchBarrier) error { return nil }); err != nil {
		t.Fatalf("do and submit: %v", err)
	}
	waitForStatus(t, msg.Gid, dtmcli.StatusSucceed)
	equal(t, "calls", p.order(), []string{"a1"})
}

func TestMsgRefusedLocally(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	msg := newMsg(t, p, "a1")
	err := msg.DoAndSubmit(p.url("query"), func(*dtmcli.BranchBarrier) error { return dtmcli.ErrFailure })
	if !errors.Is(err, dtmcli.ErrFailure) {
		t.Fatalf("do and submit: %v, want FAILURE", err)
	}
	waitForStatus(t, msg.Gid, dtmcli.StatusFailed)
	equal(t, "calls", p.order(), []string{})
}

func TestMsgQueryPrepared(t *testing.T) {
	t.Parallel()
	outcomes := map[string]struct {
		answers []answer
		status  string
		actions int
	}{
		"committed":   {[]answer{success}, dtmcli.StatusSucceed, 1},
		"rolled back": {[]answer{failure}, dtmcli.StatusFailed, 0},
		"undecided":   {[]answer{ongoing, success}, dtmcli.StatusSucceed, 1},
	}
	for name, outcome := range outcomes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParticipant(t)
			p.on("query", outcome.answers...)
			msg := newMsg(t, p, "a1")
			msg.TimeoutToFail = 1
			if err := msg.Prepare(p.url("query")); err != nil {
				t.Fatalf("prepare: %v", err)
			}
			waitForStatus(t, msg.Gid, outcome.status)
			asked := p.to("query")
			equal(t, "questions", len(asked), len(outcome.answers))
			equal(t, "method", asked[0].method, http.MethodGet)
			equal(t, "branch_id", asked[0].query.Get("branch_id"), "00")
			equal(t, "op", asked[0].query.Get("op"), "msg")
			equal(t, "calls of a1", len(p.to("a1")), outcome.actions)
		})
	}
}

func TestMsgTopic(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	topic := "orders-" + strings.ToLower(newGid(t))
	for _, subscriber := range []string{"s1", "s2"} {
		parameters := url.Values{"topic": {topic}, "url": {p.url(subscriber)}, "remark": {"conformance"}}
		equal(t, "subscribe", get(t, "/api/dtmsvr/subscribe?"+parameters.Encode()).status, http.StatusOK)
	}
	msg := dtmcli.NewMsg(dtm, newGid(t)).AddTopic(topic, payload{Amount: 30})
	if err := msg.Prepare(p.url("query")); err != nil {
		t.Fatalf("prepare: %v", err)
	}
	if err := msg.Submit(); err != nil {
		t.Fatalf("submit: %v", err)
	}
	waitForStatus(t, msg.Gid, dtmcli.StatusSucceed)
	equal(t, "calls of s1", len(p.to("s1")), 1)
	equal(t, "calls of s2", len(p.to("s2")), 1)
}
