package conformance

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmcli"
)

func TestMsgNormal(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		m := f.newMsg(t, p, "a1", "a2")
		succeeds(t, "prepare", m.prepare(f.url(p, "query")))
		s := query(t, m.Gid)
		equal(t, "status when prepared", s.Transaction.Status, dtmcli.StatusPrepared)
		equal(t, "statuses when prepared", s.statuses(), []string{"prepared", "prepared"})
		equal(t, "calls when prepared", p.order(), []string{})
		succeeds(t, "submit", m.submit())
		s = waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
		equal(t, "statuses", s.statuses(), []string{"succeed", "succeed"})
		equal(t, "calls", p.order(), []string{"a1", "a2"})
		for i, name := range []string{"a1", "a2"} {
			c := p.to(name)[0]
			equal(t, "gid of "+name, c.query.Get("gid"), m.Gid)
			equal(t, "op of "+name, c.query.Get("op"), "action")
			equal(t, "trans_type of "+name, c.query.Get("trans_type"), "msg")
			equal(t, "branch_id of "+name, c.query.Get("branch_id"), []string{"01", "02"}[i])
			equal(t, "body of "+name, c.body, `{"amount":30}`)
		}
		notBefore(t, p, "a2", "a1")
	})
}

func TestMsgWithoutPrepare(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		m := f.newMsg(t, p, "a1")
		succeeds(t, "submit", m.submit())
		waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"a1"})
	})
}

func TestMsgPrepareTwice(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		m := f.newMsg(t, p, "a1")
		succeeds(t, "prepare", m.prepare(f.url(p, "query")))
		succeeds(t, "prepare again", m.prepare(f.url(p, "query")))
		succeeds(t, "submit", m.submit())
		waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
		fails(t, "prepare after the end", m.prepare(f.url(p, "query")), "current status 'succeed', cannot prepare. FAILURE")
		succeeds(t, "submit after the end", m.submit())
		equal(t, "calls", p.order(), []string{"a1"})
	})
}

func TestMsgSubmitTwice(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("a2", ongoing)
		m := f.newMsg(t, p, "a1", "a2")
		succeeds(t, "submit", m.submit())
		p.waitForCalls(t, "a2", 1)
		succeeds(t, "submit again", m.submit())
		p.on("a2", success)
		waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
		equal(t, "calls of the finished step", len(p.to("a1")), 1)
	})
}

func TestMsgTimeoutSuccess(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("query", ongoing, ongoing, success)
		p.on("a1", ongoing, success)
		m := f.newMsg(t, p, "a1", "a2")
		began := time.Now()
		succeeds(t, "prepare", m.prepare(f.url(p, "query")))
		p.waitForCalls(t, "query", 2)
		equal(t, "status while ongoing", query(t, m.Gid).Transaction.Status, dtmcli.StatusPrepared)
		s := waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
		equal(t, "statuses", s.statuses(), []string{"succeed", "succeed"})
		equal(t, "calls", p.order(), []string{"query", "query", "query", "a1", "a1", "a2"})
		asked := p.to("query")
		between(t, "time from prepare to the first question", asked[0].arrived.Sub(began), 1900*time.Millisecond, 10*time.Second)
		between(t, "pause between questions", asked[1].arrived.Sub(asked[0].answered), 950*time.Millisecond, 8*time.Second)
		equal(t, "gid", asked[0].query.Get("gid"), m.Gid)
		equal(t, "branch_id", asked[0].query.Get("branch_id"), "00")
		equal(t, "op", asked[0].query.Get("op"), "msg")
		equal(t, "trans_type", asked[0].query.Get("trans_type"), "msg")
		if f.name == "http" {
			equal(t, "method of the question", asked[0].method, http.MethodGet)
			equal(t, "query of the question", asked[0].rawQuery, "branch_id=00&gid="+m.Gid+"&op=msg&trans_type=msg")
		}
		if f.name != "json-rpc" {
			equal(t, "body of the question", asked[0].body, "")
		}
	})
}

func TestMsgTimeoutFailed(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("query", failure)
		m := f.newMsg(t, p, "a1", "a2")
		succeeds(t, "prepare", m.prepare(f.url(p, "query")))
		s := waitForStatus(t, m.Gid, dtmcli.StatusFailed)
		equal(t, "statuses", s.statuses(), []string{"prepared", "prepared"})
		equal(t, "calls", p.order(), []string{"query"})
		fails(t, "submit", m.submit(), "current status 'failed', cannot sumbmit.")
	})
}

func TestMsgTimeoutBroken(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("query", broken, success)
		m := f.newMsg(t, p, "a1")
		succeeds(t, "prepare", m.prepare(f.url(p, "query")))
		waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"query", "query", "a1"})
	})
}

func TestMsgTimeoutCustom(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		m := f.newMsg(t, p, "a1")
		m.TimeoutToFail = 4
		began := time.Now()
		succeeds(t, "prepare", m.prepare(f.url(p, "query")))
		waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"query", "a1"})
		between(t, "time from prepare to the question", p.to("query")[0].arrived.Sub(began), 3900*time.Millisecond, 12*time.Second)
	})
}

// DTM takes an empty query_prepared for a yes. Amends holds the message.
func TestMsgWithoutQuery(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		m := f.newMsg(t, p, "a1")
		m.TimeoutToFail = 1
		succeeds(t, "prepare", m.prepare(""))
		holdsFor(t, "the silence", 3*time.Second, func() bool { return len(p.order()) == 0 })
		equal(t, "status after the timeout", query(t, m.Gid).Transaction.Status, dtmcli.StatusPrepared)
		succeeds(t, "submit", m.submit())
		waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
	})
}

func TestMsgDelay(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		m := f.newMsg(t, p, "a1", "a2")
		m.setDelay(3)
		began := time.Now()
		// The client says so with submit only; it counts from prepare.
		succeeds(t, "prepare", m.prepare(f.url(p, "query")))
		succeeds(t, "submit", m.submit())
		holdsFor(t, "the delay", 1500*time.Millisecond, func() bool { return len(p.order()) == 0 })
		s := query(t, m.Gid)
		equal(t, "status meanwhile", s.Transaction.Status, dtmcli.StatusSubmitted)
		equal(t, "statuses meanwhile", s.statuses(), []string{"prepared", "prepared"})
		waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
		between(t, "delay", p.to("a1")[0].arrived.Sub(began), 2900*time.Millisecond, 12*time.Second)
	})
}

func TestMsgConcurrent(t *testing.T) {
	// gRPC has no field for it.
	onFaces(t, []face{overHTTP, overJSONRPC}, func(t *testing.T, f face) {
		p := newParticipant(t)
		overlap := meeting(2)
		p.on("a1", overlap)
		p.on("a2", overlap)
		m := f.newMsg(t, p, "a1", "a2")
		m.Concurrent = true
		succeeds(t, "submit", m.submit())
		s := waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
		equal(t, "statuses", s.statuses(), []string{"succeed", "succeed"})
		equal(t, "number of calls", len(p.order()), 2)
	})
}

func TestMsgAbort(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("a1", ongoing)
		m := f.newMsg(t, p, "a1")
		succeeds(t, "prepare", m.prepare(f.url(p, "query")))
		succeeds(t, "abort", m.abort())
		equal(t, "status", query(t, m.Gid).Transaction.Status, dtmcli.StatusFailed)
		fails(t, "submit", m.submit(), "current status 'failed', cannot sumbmit.")

		late := f.newMsg(t, p, "a1")
		succeeds(t, "submit", late.submit())
		fails(t, "abort of what is submitted", late.abort(), "current status 'submitted', cannot abort. FAILURE")
		p.on("a1", success)
		waitForStatus(t, late.Gid, dtmcli.StatusSucceed)
		for _, c := range p.to("a1") {
			equal(t, "gid of a call", c.query.Get("gid"), late.Gid)
		}
	})
}

// A message cannot go back: what its steps refuse is tried again.
func TestMsgStepFails(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("a1", failure, broken, ongoing, success)
		m := f.newMsg(t, p, "a1", "a2")
		succeeds(t, "submit", m.submit())
		p.waitForCalls(t, "a1", 1)
		equal(t, "status after the refusal", query(t, m.Gid).Transaction.Status, dtmcli.StatusSubmitted)
		waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"a1", "a1", "a1", "a1", "a2"})
	})
}

func TestMsgBranchHeaders(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		m := f.newMsg(t, p, "a1")
		m.TimeoutToFail = 1
		m.BranchHeaders = map[string]string{"X-Tenant": "north"}
		succeeds(t, "prepare", m.prepare(f.url(p, "query")))
		waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
		equal(t, "header of the question", p.to("query")[0].header.Get("X-Tenant"), "north")
		equal(t, "header of the step", p.to("a1")[0].header.Get("X-Tenant"), "north")
	})
}

// Options given with prepare hold for the first calls too, whatever the submit says; DTM forgets them.
func TestMsgOptionsOfPrepareHold(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		m := f.newMsg(t, p, "a1")
		m.BranchHeaders = map[string]string{"X-Tenant": "north"}
		succeeds(t, "prepare", m.prepare(f.url(p, "query")))
		m.BranchHeaders = nil
		succeeds(t, "submit", m.submit())
		waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
		equal(t, "header of the step", p.to("a1")[0].header.Get("X-Tenant"), "north")
	})
}

func TestMsgWaitResult(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		m := f.newMsg(t, p, "a1", "a2")
		m.WaitResult = true
		succeeds(t, "submit", m.submit())
		equal(t, "calls when submit returns", p.order(), []string{"a1", "a2"})

		p.on("a1", ongoing)
		m = f.newMsg(t, p, "a1")
		m.WaitResult = true
		fails(t, "submit while ongoing", m.submit(), "ONGOING")
		equal(t, "status", query(t, m.Gid).Transaction.Status, dtmcli.StatusSubmitted)
		p.on("a1", success)
		waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
	})
}

func TestMsgDoAndSubmit(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		m := f.newMsg(t, p, "a1")
		succeeds(t, "DoAndSubmit", m.doAndSubmit(f.url(p, "query"), func(bb *dtmcli.BranchBarrier) error {
			equal(t, "barrier", []string{bb.TransType, bb.Gid, bb.BranchID, bb.Op}, []string{"msg", m.Gid, "00", "msg"})
			return nil
		}))
		waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"a1"})
	})
}

func TestMsgDoAndSubmitRefused(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		m := f.newMsg(t, p, "a1")
		fails(t, "DoAndSubmit", m.doAndSubmit(f.url(p, "query"), func(*dtmcli.BranchBarrier) error { return dtmcli.ErrFailure }), "FAILURE")
		equal(t, "status", query(t, m.Gid).Transaction.Status, dtmcli.StatusFailed)
		equal(t, "calls", p.order(), []string{})
	})
}

// The local transaction reports an error: the client asks itself whether it was committed.
func TestMsgDoAndSubmitUnclear(t *testing.T) {
	asked := map[string]struct {
		says   []answer
		status string
	}{
		"committed":              {[]answer{success}, dtmcli.StatusSucceed},
		"rolled back":            {[]answer{failure}, dtmcli.StatusFailed},
		"away, then committed":   {[]answer{broken, success}, dtmcli.StatusSucceed},
		"away, then rolled back": {[]answer{broken, failure}, dtmcli.StatusFailed},
	}
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		for name, given := range asked {
			name, given := name, given
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := newParticipant(t)
				p.on("query", given.says...)
				m := f.newMsg(t, p, "a1")
				err := m.doAndSubmit(f.url(p, "query"), func(*dtmcli.BranchBarrier) error { return errors.New("connection lost") })
				fails(t, "DoAndSubmit", err, "connection lost")
				waitForStatus(t, m.Gid, given.status)
				equal(t, "questions", len(p.to("query")), len(given.says))
				equal(t, "deliveries", len(p.to("a1")), map[string]int{"succeed": 1, "failed": 0}[given.status])
			})
		}
	})
}

// succeeds fails the test when there is an error.
func succeeds(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// fails reports an error that is missing or says something else.
func fails(t *testing.T, what string, err error, part string) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s succeeded, want an error with %q", what, part)
	}
	contains(t, "error of "+what, err.Error(), part)
}
