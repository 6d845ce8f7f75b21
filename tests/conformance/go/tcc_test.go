package conformance

import (
	"errors"
	"net/http"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/go-resty/resty/v2"
)

// tryBoth begins a TCC and tries these branches; its error is that of the first branch that failed.
func tryBoth(t *testing.T, p *participant, branches ...string) (gid string, err error) {
	t.Helper()
	gid = newGid(t)
	err = dtmcli.TccGlobalTransaction2(dtm, gid, func(tcc *dtmcli.Tcc) { tcc.RetryInterval = 1 },
		func(tcc *dtmcli.Tcc) (*resty.Response, error) {
			for _, b := range branches {
				if response, err := tcc.CallBranch(payload{Amount: 30}, p.url("try"+b), p.url("confirm"+b), p.url("cancel"+b)); err != nil {
					return response, err
				}
			}
			return nil, nil
		})
	return gid, err
}

func TestTccNormal(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("confirm1", broken, success)
	gid, err := tryBoth(t, p, "1", "2")
	if err != nil {
		t.Fatalf("tcc: %v", err)
	}
	waitForStatus(t, gid, dtmcli.StatusSucceed)
	equal(t, "calls of confirm1", len(p.to("confirm1")), 2)
	equal(t, "calls of confirm2", len(p.to("confirm2")), 1)
	equal(t, "calls of cancel", len(p.to("cancel1"))+len(p.to("cancel2")), 0)
	equal(t, "branch of try", p.to("try2")[0].query.Get("branch_id"), "02")
	equal(t, "branch of confirm", p.to("confirm2")[0].query.Get("branch_id"), "02")
	equal(t, "op of confirm", p.to("confirm2")[0].query.Get("op"), "confirm")
	equal(t, "body of confirm", p.to("confirm2")[0].body, `{"amount":30}`)
}

func TestTccRollback(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("try2", failure)
	gid, err := tryBoth(t, p, "1", "2")
	if !errors.Is(err, dtmcli.ErrFailure) {
		t.Fatalf("tcc: %v, want FAILURE", err)
	}
	s := waitForStatus(t, gid, dtmcli.StatusFailed)
	equal(t, "calls of cancel1", len(p.to("cancel1")), 1)
	equal(t, "calls of cancel2", len(p.to("cancel2")), 1)
	equal(t, "calls of confirm", len(p.to("confirm1"))+len(p.to("confirm2")), 0)
	contains(t, "reason", s.Transaction.RollbackReason, "out of stock")
}

func TestTccTimeout(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	gid := newGid(t)
	var late error
	err := dtmcli.TccGlobalTransaction2(dtm, gid, func(tcc *dtmcli.Tcc) { tcc.TimeoutToFail = 1 },
		func(tcc *dtmcli.Tcc) (*resty.Response, error) {
			if response, err := tcc.CallBranch(payload{Amount: 30}, p.url("try1"), p.url("confirm1"), p.url("cancel1")); err != nil {
				return response, err
			}
			waitForStatus(t, gid, dtmcli.StatusFailed)
			_, late = tcc.CallBranch(payload{Amount: 30}, p.url("try2"), p.url("confirm2"), p.url("cancel2"))
			return nil, nil
		})
	if late == nil {
		t.Errorf("a branch was registered after the decision")
	}
	if err == nil {
		t.Errorf("submit after the roll-back was accepted")
	}
	equal(t, "calls", p.order(), []string{"try1", "cancel1"})
}

func TestTccNested(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	inner := newParticipant(t)
	p.on("try1", nestedTry(inner))
	gid, err := tryBoth(t, p, "1")
	if err != nil {
		t.Fatalf("tcc: %v", err)
	}
	waitForStatus(t, gid, dtmcli.StatusSucceed)
	equal(t, "calls of the inner service", inner.order(), []string{"try", "confirm"})
	equal(t, "branch of the inner service", inner.to("confirm")[0].query.Get("branch_id"), "0101")
}

// nestedTry answers a try by registering and trying a branch below it.
func nestedTry(inner *participant) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		tcc, err := dtmcli.TccFromQuery(r.URL.Query())
		if err == nil {
			_, err = tcc.CallBranch(payload{Amount: 30}, inner.url("try"), inner.url("confirm"), inner.url("cancel"))
		}
		if err != nil {
			respond(http.StatusConflict, err.Error())(w, r)
			return
		}
		success(w, r)
	}
}
