package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/go-resty/resty/v2"
)

// prepared answers the action of a branch as a resource manager does: it prepares and registers, and ends at phase2.
func prepared(phase2 string) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		xa, err := dtmcli.XaFromQuery(r.URL.Query())
		if err == nil {
			var body []byte
			body, err = json.Marshal(map[string]string{"gid": xa.Gid, "trans_type": "xa", "branch_id": xa.BranchID, "url": phase2})
			if err == nil {
				var response *http.Response
				response, err = http.Post(dtm+"/registerBranch", "application/json", bytes.NewReader(body))
				if err == nil {
					defer response.Body.Close()
					if response.StatusCode != http.StatusOK {
						err = errors.New(response.Status)
					}
				}
			}
		}
		if err != nil {
			respond(http.StatusInternalServerError, err.Error())(w, r)
			return
		}
		success(w, r)
	}
}

// callAll begins an XA transaction and calls these branches, of which every one ends at a phase2 of its own.
func callAll(t *testing.T, p *participant, branches ...string) (gid string, err error) {
	t.Helper()
	gid = newGid(t)
	err = dtmcli.XaGlobalTransaction2(dtm, gid, func(xa *dtmcli.Xa) { xa.RetryInterval = 1 },
		func(xa *dtmcli.Xa) (*resty.Response, error) {
			for _, b := range branches {
				if response, err := xa.CallBranch(payload{Amount: 30}, p.url("action"+b)); err != nil {
					return response, err
				}
			}
			return nil, nil
		})
	return gid, err
}

func TestXaCommit(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("action1", prepared(p.url("end1")))
	p.on("action2", prepared(p.url("end2")))
	p.on("end2", broken, success)
	gid, err := callAll(t, p, "1", "2")
	if err != nil {
		t.Fatalf("xa: %v", err)
	}
	waitForStatus(t, gid, dtmcli.StatusSucceed)
	equal(t, "calls of end1", len(p.to("end1")), 1)
	equal(t, "calls of end2", len(p.to("end2")), 2)
	equal(t, "op", p.to("end1")[0].query.Get("op"), "commit")
	equal(t, "branch_id", p.to("end2")[0].query.Get("branch_id"), "02")
}

func TestXaRollback(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("action1", prepared(p.url("end1")))
	p.on("action2", failure)
	gid, err := callAll(t, p, "1", "2")
	if !errors.Is(err, dtmcli.ErrFailure) {
		t.Fatalf("xa: %v, want FAILURE", err)
	}
	waitForStatus(t, gid, dtmcli.StatusFailed)
	equal(t, "calls", p.order(), []string{"action1", "action2", "end1"})
	equal(t, "op", p.to("end1")[0].query.Get("op"), "rollback")
}
