package conformance

import (
	"regexp"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmcli"
)

func TestSagaWaitSuccess(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	saga := newSaga(t, p, "1", "2")
	saga.WaitResult = true
	submit(t, saga)
	equal(t, "calls when submit returns", p.order(), []string{"a1", "a2"})
	s := query(t, saga.Gid)
	equal(t, "status when submit returns", s.Transaction.Status, dtmcli.StatusSucceed)
	equal(t, "statuses", s.statuses(), []string{"prepared", "succeed", "prepared", "succeed"})
}

func TestSagaWaitRollback(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a2", failure)
	saga := newSaga(t, p, "1", "2")
	saga.WaitResult = true
	refuses(t, saga, "out of stock")
	equal(t, "calls when submit returns", p.order(), []string{"a1", "a2", "c2", "c1"})
	s := query(t, saga.Gid)
	equal(t, "status when submit returns", s.Transaction.Status, dtmcli.StatusFailed)
	contains(t, "reason", s.Transaction.RollbackReason, "out of stock")
}

func TestSagaWaitOngoing(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a1", ongoing)
	saga := newSaga(t, p, "1", "2")
	saga.WaitResult = true
	refuses(t, saga, "ONGOING")
	equal(t, "status when submit returns", query(t, saga.Gid).Transaction.Status, dtmcli.StatusSubmitted)
	p.on("a1", success)
	waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
}

func TestSagaBranchHeaders(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a2", broken, failure)
	saga := newSaga(t, p, "1", "2")
	saga.BranchHeaders = map[string]string{"X-Tenant": "north", "Authorization": "Bearer of tests"}
	submit(t, saga)
	waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
	equal(t, "calls", p.order(), []string{"a1", "a2", "a2", "c2", "c1"})
	for _, name := range []string{"a1", "a2", "c2", "c1"} {
		for _, c := range p.to(name) {
			equal(t, "X-Tenant of "+name, c.header.Get("X-Tenant"), "north")
			equal(t, "Authorization of "+name, c.header.Get("Authorization"), "Bearer of tests")
		}
	}
}

func TestSagaRequestTimeout(t *testing.T) {
	t.Parallel()
	t.Run("longer than the branch", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		p.on("a1", late(4*time.Second, success))
		saga := newSaga(t, p, "1")
		saga.WithGlobalTransRequestTimeout(10)
		submit(t, saga)
		waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"a1"})
	})
	t.Run("shorter than the branch", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		p.on("a1", late(20*time.Second, success), success)
		saga := newSaga(t, p, "1")
		saga.WithGlobalTransRequestTimeout(1)
		began := time.Now()
		submit(t, saga)
		waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"a1", "a1"})
		between(t, "time-out and pause before the retry", p.to("a1")[1].arrived.Sub(began), 1900*time.Millisecond, 10*time.Second)
	})
	t.Run("three seconds by default", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		p.on("a1", late(20*time.Second, success), success)
		saga := newSaga(t, p, "1")
		began := time.Now()
		submit(t, saga)
		waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"a1", "a1"})
		between(t, "time-out and pause before the retry", p.to("a1")[1].arrived.Sub(began), 3900*time.Millisecond, 12*time.Second)
	})
}

func TestSagaTimeoutToFail(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a1", ongoing)
	saga := newSaga(t, p, "1", "2")
	saga.TimeoutToFail = 2
	began := time.Now()
	submit(t, saga)
	s := waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
	equal(t, "statuses", s.statuses(), []string{"succeed", "prepared", "prepared", "prepared"})
	if reason := s.Transaction.RollbackReason; !regexp.MustCompile(`^Timeout after \d+ seconds$`).MatchString(reason) {
		t.Errorf("reason: %q", reason)
	}
	equal(t, "compensations of step 1", len(p.to("c1")), 1)
	equal(t, "calls of step 2", len(p.to("a2"))+len(p.to("c2")), 0)
	between(t, "time from submit to the compensation", p.to("c1")[0].arrived.Sub(began), 1900*time.Millisecond, 10*time.Second)
}

func TestSagaRetryLimitYes(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a2", broken, broken, broken, success)
	saga := newSaga(t, p, "1", "2")
	saga.WithRetryLimit(3)
	submit(t, saga)
	s := waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	equal(t, "statuses", s.statuses(), []string{"prepared", "succeed", "prepared", "succeed"})
	equal(t, "calls", p.order(), []string{"a1", "a2", "a2", "a2", "a2"})
}

func TestSagaRetryLimitNo(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a2", broken)
	saga := newSaga(t, p, "1", "2")
	saga.WithRetryLimit(1)
	submit(t, saga)
	s := waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
	equal(t, "statuses", s.statuses(), []string{"succeed", "succeed", "succeed", "prepared"})
	equal(t, "reason", s.Transaction.RollbackReason, "RetryCount is greater than RetryLimit, RetryLimit: 1")
	equal(t, "calls", p.order(), []string{"a1", "a2", "a2", "c2", "c1"})
}
