package conformance

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmcli"
)

// payload is the body that the steps of most tests carry.
type payload struct {
	Amount int `json:"amount"`
}

// newSaga makes a saga with steps aN and cN at the participant, which retries after one second.
func newSaga(t *testing.T, p *participant, steps ...string) *dtmcli.Saga {
	t.Helper()
	saga := dtmcli.NewSaga(dtm, newGid(t))
	saga.RetryInterval = 1
	for _, step := range steps {
		saga.Add(p.url("a"+step), p.url("c"+step), payload{Amount: 30})
	}
	return saga
}

// submit hands a saga over; that must succeed.
func submit(t *testing.T, saga *dtmcli.Saga) {
	t.Helper()
	if err := saga.Submit(); err != nil {
		t.Fatalf("submit: %v", err)
	}
}

func TestSagaNormal(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	saga := newSaga(t, p, "1", "2")
	submit(t, saga)
	s := waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	equal(t, "statuses", s.statuses(), []string{"prepared", "succeed", "prepared", "succeed"})
	equal(t, "reason", s.Transaction.RollbackReason, "")
	equal(t, "calls", p.order(), []string{"a1", "a2"})
}

func TestSagaRollback(t *testing.T) {
	t.Parallel()
	failures := map[string]answer{
		"status 409":           failure,
		"body with status 200": failureByBody,
		"body with status 500": respond(http.StatusInternalServerError, `FAILURE: out of stock`),
	}
	for name, fails := range failures {
		name, fails := name, fails
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParticipant(t)
			p.on("a2", fails)
			saga := newSaga(t, p, "1", "2", "3")
			submit(t, saga)
			s := waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
			equal(t, "statuses", s.statuses(), []string{"succeed", "succeed", "succeed", "failed", "prepared", "prepared"})
			contains(t, "reason", s.Transaction.RollbackReason, "out of stock")
			contains(t, "reason", s.Transaction.RollbackReason, p.url("a2"))
			equal(t, "calls", p.order(), []string{"a1", "a2", "c2", "c1"})
		})
	}
}

func TestSagaOngoing(t *testing.T) {
	t.Parallel()
	forms := map[string]answer{"status 425": ongoing, "body with status 200": ongoingByBody}
	for name, busy := range forms {
		name, busy := name, busy
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParticipant(t)
			p.on("a1", busy, busy, busy, success)
			saga := newSaga(t, p, "1", "2")
			submit(t, saga)
			waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
			equal(t, "calls", p.order(), []string{"a1", "a1", "a1", "a1", "a2"})
			for i, pause := range pauses(p.to("a1")) {
				// A pause that grew like those between retries would be four seconds in the end.
				between(t, fmt.Sprintf("pause %d", i+1), pause, 950*time.Millisecond, 3900*time.Millisecond)
			}
		})
	}
}

func TestSagaFlaky(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a2", broken, broken, success)
	saga := newSaga(t, p, "1", "2")
	submit(t, saga)
	waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	equal(t, "calls", p.order(), []string{"a1", "a2", "a2", "a2"})
	gaps := pauses(p.to("a2"))
	between(t, "pause before the first retry", gaps[0], 950*time.Millisecond, 8*time.Second)
	between(t, "pause before the second retry", gaps[1], 1950*time.Millisecond, 8*time.Second)
}

func TestSagaConnectionLost(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a1", hangUp, success)
	saga := newSaga(t, p, "1")
	submit(t, saga)
	waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	equal(t, "calls", p.order(), []string{"a1", "a1"})
}

func TestSagaOtherStatusIsRetried(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusCreated, http.StatusNoContent, http.StatusNotFound, http.StatusServiceUnavailable} {
		status := status
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			p := newParticipant(t)
			p.on("a1", respond(status, ""), success)
			saga := newSaga(t, p, "1")
			submit(t, saga)
			waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
			equal(t, "calls", p.order(), []string{"a1", "a1"})
		})
	}
}

func TestSagaCompensationFlaky(t *testing.T) {
	t.Parallel()
	firsts := map[string]answer{"error": broken, "failure": failure, "ongoing": ongoing}
	for name, first := range firsts {
		name, first := name, first
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParticipant(t)
			p.on("a2", failure)
			p.on("c2", first)
			saga := newSaga(t, p, "1", "2")
			submit(t, saga)
			s := waitForStatus(t, saga.Gid, dtmcli.StatusAborting)
			contains(t, "reason", s.Transaction.RollbackReason, "out of stock")
			p.waitForCalls(t, "c2", 2)
			equal(t, "status after the second compensation call", query(t, saga.Gid).Transaction.Status, dtmcli.StatusAborting)
			p.on("c2", success)
			s = waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
			equal(t, "statuses", s.statuses(), []string{"succeed", "succeed", "succeed", "failed"})
			contains(t, "reason", s.Transaction.RollbackReason, "out of stock")
			equal(t, "last call", p.order()[len(p.order())-1], "c1")
		})
	}
}

func TestSagaEmptyURL(t *testing.T) {
	t.Parallel()
	t.Run("success", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		saga := newSaga(t, p, "1")
		saga.Add("", "", nil)
		submit(t, saga)
		s := waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
		equal(t, "statuses", s.statuses(), []string{"prepared", "succeed", "prepared", "succeed"})
		equal(t, "calls", p.order(), []string{"a1"})
	})
	t.Run("rollback", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		p.on("a2", failure)
		saga := newSaga(t, p)
		saga.Add(p.url("a1"), "", nil).Add(p.url("a2"), p.url("c2"), nil)
		submit(t, saga)
		s := waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
		equal(t, "statuses", s.statuses(), []string{"succeed", "succeed", "succeed", "failed"})
		equal(t, "calls", p.order(), []string{"a1", "a2", "c2"})
	})
}

func TestSagaDuplicateSubmit(t *testing.T) {
	t.Parallel()
	t.Run("while submitted", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		p.on("a2", ongoing)
		saga := newSaga(t, p, "1", "2")
		submit(t, saga)
		p.waitForCalls(t, "a2", 1)
		submit(t, saga)
		p.on("a2", success)
		waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
		equal(t, "calls of the finished step", len(p.to("a1")), 1)
	})
	t.Run("at the same time", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		p.on("a1", late(300*time.Millisecond, success))
		saga := newSaga(t, p, "1", "2")
		var all sync.WaitGroup
		for i := 0; i < 10; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				twin := *saga
				if err := twin.Submit(); err != nil {
					t.Errorf("submit: %v", err)
				}
			}()
		}
		all.Wait()
		waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"a1", "a2"})
	})
	t.Run("after success", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		saga := newSaga(t, p, "1")
		submit(t, saga)
		waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
		submit(t, saga)
		saga.Add(p.url("a2"), p.url("c2"), nil)
		refuses(t, saga, "other content, cannot submit. FAILURE")
		equal(t, "calls", p.order(), []string{"a1"})
	})
	t.Run("after failure", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		p.on("a1", failure)
		saga := newSaga(t, p, "1")
		submit(t, saga)
		waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
		refuses(t, saga, "current status 'failed', cannot sumbmit.")
		refuses(t, saga, "out of stock")
		equal(t, "calls", p.order(), []string{"a1", "c1"})
	})
}

// refuses submits a saga that must not be taken.
func refuses(t *testing.T, saga *dtmcli.Saga, reason string) {
	t.Helper()
	err := saga.Submit()
	if err == nil {
		t.Fatalf("submit succeeded, want an error with %q", reason)
	}
	contains(t, "error", err.Error(), reason)
}

// pauses is the time from each answer to the next call.
func pauses(calls []call) []time.Duration {
	gaps := []time.Duration{}
	for i := 1; i < len(calls); i++ {
		gaps = append(gaps, calls[i].arrived.Sub(calls[i-1].answered))
	}
	return gaps
}
