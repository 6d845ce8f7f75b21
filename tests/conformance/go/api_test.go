package conformance

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmcli"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	answer := get(t, "/api/dtmsvr/version")
	equal(t, "status", answer.status, http.StatusOK)
	var said struct{ Version string }
	fromJSON(t, answer.body, &said)
	if said.Version == "" {
		t.Errorf("no version in %s", answer.body)
	}
}

func TestNewGid(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9A-Za-z]{22}$`)
	seen := map[string]bool{}
	for i := 0; i < 100; i++ {
		gid := newGid(t)
		if !form.MatchString(gid) || seen[gid] {
			t.Fatalf("gid %q: want 22 letters and digits, never the same again", gid)
		}
		seen[gid] = true
	}
	contains(t, "answer", get(t, "/api/dtmsvr/newGid").body, `"dtm_result":"SUCCESS"`)
}

func TestPing(t *testing.T) {
	t.Parallel()
	answer := get(t, "/api/ping")
	equal(t, "status", answer.status, http.StatusOK)
	contains(t, "answer", strings.ReplaceAll(answer.body, " ", ""), `"msg":"pong"`)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	answer := get(t, "/api/metrics")
	equal(t, "status", answer.status, http.StatusOK)
	contains(t, "content type", answer.header.Get("Content-Type"), "text/plain")
	contains(t, "answer", answer.body, "# TYPE ")
}

func TestUnknownRoute(t *testing.T) {
	t.Parallel()
	answer := get(t, "/api/dtmsvr/nothing")
	equal(t, "status", answer.status, http.StatusNotFound)
	equal(t, "answer", answer.body, "404 page not found")
	equal(t, "status of GET submit", get(t, "/api/dtmsvr/submit").status, http.StatusMethodNotAllowed)
}

func TestQuery(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	saga := newSaga(t, p, "1")
	began := time.Now()
	submit(t, saga)
	s := waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	g := s.Transaction
	equal(t, "gid", g.Gid, saga.Gid)
	equal(t, "trans_type", g.TransType, "saga")
	equal(t, "rollback_reason", g.RollbackReason, "")
	contains(t, "options", g.Options, `"retry_interval":1`)
	between(t, "age of create_time", g.CreateTime.Sub(began).Abs(), 0, time.Minute)
	if g.UpdateTime.Before(g.CreateTime) || g.ID < 1 || g.ID > 1<<31-1 {
		t.Errorf("id %d, create_time %v, update_time %v", g.ID, g.CreateTime, g.UpdateTime)
	}
	if len(s.Branches) != 2 {
		t.Fatalf("branches: %+v, want two", s.Branches)
	}
	for i, want := range []struct{ op, url, status string }{
		{"compensate", p.url("c1"), "prepared"},
		{"action", p.url("a1"), "succeed"},
	} {
		b := s.Branches[i]
		equal(t, "gid of "+want.op, b.Gid, saga.Gid)
		equal(t, "branch_id of "+want.op, b.BranchID, "01")
		equal(t, "op", b.Op, want.op)
		equal(t, "url of "+want.op, b.URL, want.url)
		equal(t, "status of "+want.op, b.Status, want.status)
		equal(t, "bin_data of "+want.op, string(b.BinData), `{"amount":30}`)
		if b.CreateTime.IsZero() || b.UpdateTime.IsZero() || b.ID < 1 {
			t.Errorf("%s: id %d, create_time %v, update_time %v", want.op, b.ID, b.CreateTime, b.UpdateTime)
		}
	}
}

func TestQueryWithoutGid(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/api/dtmsvr/query", "/api/dtmsvr/query?gid="} {
		answer := get(t, path)
		equal(t, "status", answer.status, http.StatusInternalServerError)
		contains(t, "answer", answer.body, "no gid specified")
	}
}

func TestQueryUnknownGid(t *testing.T) {
	t.Parallel()
	answer := get(t, "/api/dtmsvr/query?gid="+newGid(t))
	equal(t, "status", answer.status, http.StatusOK)
	var said map[string]any
	fromJSON(t, answer.body, &said)
	equal(t, "answer", said, map[string]any{"transaction": nil, "branches": []any{}})
}

// page is the answer of `all`.
type page struct {
	Transactions []transaction `json:"transactions"`
	NextPosition string        `json:"next_position"`
}

// readPage calls `all` with the given parameters.
func readPage(t *testing.T, parameters map[string]string) page {
	t.Helper()
	values := url.Values{}
	for name, value := range parameters {
		values.Set(name, value)
	}
	answer := get(t, "/api/dtmsvr/all?"+values.Encode())
	if answer.status != http.StatusOK {
		t.Fatalf("all?%s: %d %s", values.Encode(), answer.status, answer.body)
	}
	var p page
	fromJSON(t, answer.body, &p)
	return p
}

// gidsOf follows the pages of `all` to the end and counts each gid.
func gidsOf(t *testing.T, parameters map[string]string) map[string]int {
	t.Helper()
	found := map[string]int{}
	position := ""
	for i := 0; i < 10_000; i++ {
		parameters["position"] = position
		p := readPage(t, parameters)
		for _, g := range p.Transactions {
			found[g.Gid]++
		}
		if p.NextPosition == "" {
			return found
		}
		if p.NextPosition == position {
			t.Fatalf("the position %q does not move on", position)
		}
		position = p.NextPosition
	}
	t.Fatal("the pages do not end")
	return nil
}

func TestAll(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a9", failure)
	// One second of slack, because the filter is in whole seconds.
	since := fmt.Sprint(time.Now().Add(-time.Second).UnixMilli())
	succeeded := map[string]bool{}
	for i := 0; i < 5; i++ {
		saga := newSaga(t, p, "1")
		submit(t, saga)
		waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
		succeeded[saga.Gid] = true
	}
	failed := newSaga(t, p, "9")
	submit(t, failed)
	waitForStatus(t, failed.Gid, dtmcli.StatusFailed)

	t.Run("pages", func(t *testing.T) {
		first := readPage(t, map[string]string{"limit": "2"})
		equal(t, "rows of the first page", len(first.Transactions), 2)
		if first.NextPosition == "" {
			t.Errorf("no next position although there is more")
		}
		found := gidsOf(t, map[string]string{"limit": "2", "createTimeStart": since})
		for gid := range succeeded {
			equal(t, "times that "+gid+" is listed", found[gid], 1)
		}
		equal(t, "times that the failed one is listed", found[failed.Gid], 1)
	})
	t.Run("gid", func(t *testing.T) {
		found := readPage(t, map[string]string{"gid": failed.Gid})
		if len(found.Transactions) != 1 {
			t.Fatalf("%+v, want one row", found)
		}
		equal(t, "gid", found.Transactions[0].Gid, failed.Gid)
		equal(t, "status", found.Transactions[0].Status, dtmcli.StatusFailed)
		contains(t, "reason", found.Transactions[0].RollbackReason, "out of stock")
		equal(t, "next position", found.NextPosition, "")
		equal(t, "rows of an unknown gid", len(readPage(t, map[string]string{"gid": "no-such-gid"}).Transactions), 0)
	})
	t.Run("status", func(t *testing.T) {
		lists(t, map[string]string{"status": "succeed", "createTimeStart": since}, succeeded)
		lists(t, map[string]string{"status": "failed", "createTimeStart": since}, map[string]bool{failed.Gid: true})
		for _, g := range readPage(t, map[string]string{"status": "failed"}).Transactions {
			equal(t, "status of a listed one", g.Status, dtmcli.StatusFailed)
		}
	})
	t.Run("transType", func(t *testing.T) {
		lists(t, map[string]string{"transType": "saga", "status": "succeed", "createTimeStart": since}, succeeded)
		found := gidsOf(t, map[string]string{"transType": "msg", "createTimeStart": since})
		equal(t, "saga among messages", found[failed.Gid], 0)
	})
	t.Run("time", func(t *testing.T) {
		future := fmt.Sprint(time.Now().Add(time.Hour).UnixMilli())
		empty := readPage(t, map[string]string{"createTimeStart": future})
		equal(t, "rows from the future", len(empty.Transactions), 0)
		equal(t, "next position", empty.NextPosition, "")
		past := gidsOf(t, map[string]string{"createTimeStart": since, "createTimeEnd": since})
		equal(t, "rows that came later", past[failed.Gid], 0)
		lists(t, map[string]string{"createTimeStart": since, "createTimeEnd": future, "status": "succeed"}, succeeded)
	})
	t.Run("bad limit", func(t *testing.T) {
		if answer := get(t, "/api/dtmsvr/all?limit=abc"); answer.status < 400 {
			t.Errorf("limit=abc: %d %s", answer.status, answer.body)
		}
	})
}

// lists checks that a filtered listing holds what it must.
func lists(t *testing.T, parameters map[string]string, wanted map[string]bool) {
	t.Helper()
	found := gidsOf(t, parameters)
	for gid := range wanted {
		equal(t, fmt.Sprintf("times that %s is listed by %v", gid, parameters), found[gid], 1)
	}
	if parameters["status"] == "succeed" {
		for gid := range found {
			equal(t, "status of the listed "+gid, query(t, gid).Transaction.Status, dtmcli.StatusSucceed)
		}
	}
}

func TestForceStop(t *testing.T) {
	t.Parallel()
	t.Run("unfinished", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		p.on("a2", ongoing)
		saga := newSaga(t, p, "1", "2")
		submit(t, saga)
		p.waitForCalls(t, "a2", 1)
		equal(t, "status", postGid(t, "forceStop", saga.Gid).status, http.StatusOK)
		equal(t, "status afterwards", query(t, saga.Gid).Transaction.Status, dtmcli.StatusFailed)
		// A call may have been on its way while the stop came; from then on there is none.
		before := len(p.order())
		holdsFor(t, "the silence", 2500*time.Millisecond, func() bool { return len(p.order()) <= before+1 })
		equal(t, "compensations", len(p.to("c1"))+len(p.to("c2")), 0)
		equal(t, "status in the end", query(t, saga.Gid).Transaction.Status, dtmcli.StatusFailed)
	})
	t.Run("finished", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		saga := newSaga(t, p, "1")
		submit(t, saga)
		waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
		answer := postGid(t, "forceStop", saga.Gid)
		equal(t, "status", answer.status, http.StatusConflict)
		contains(t, "answer", answer.body, "FAILURE")
		equal(t, "status afterwards", query(t, saga.Gid).Transaction.Status, dtmcli.StatusSucceed)
	})
	t.Run("unknown", func(t *testing.T) {
		t.Parallel()
		answer := postGid(t, "forceStop", "no-such-gid")
		equal(t, "status", answer.status, http.StatusInternalServerError)
		contains(t, "answer", answer.body, "no TransGlobal with gid: no-such-gid found")
	})
}

func TestResetNextCronTime(t *testing.T) {
	t.Parallel()
	t.Run("waiting", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		p.on("a1", broken, success)
		saga := newSaga(t, p, "1")
		saga.RetryInterval = 60
		submit(t, saga)
		p.waitForCalls(t, "a1", 1)
		// Asked again while nothing happens: the first answer may still have been on its way when it was asked.
		waitFor(t, "the retry", func() bool {
			equal(t, "status", postGid(t, "resetNextCronTime", saga.Gid).status, http.StatusOK)
			return len(p.to("a1")) == 2
		})
		waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"a1", "a1"})
	})
	t.Run("finished", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		saga := newSaga(t, p, "1")
		submit(t, saga)
		waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
		equal(t, "status", postGid(t, "resetNextCronTime", saga.Gid).status, http.StatusOK)
		equal(t, "calls", p.order(), []string{"a1"})
	})
	t.Run("unknown", func(t *testing.T) {
		t.Parallel()
		answer := postGid(t, "resetNextCronTime", "no-such-gid")
		equal(t, "status", answer.status, http.StatusInternalServerError)
		contains(t, "answer", answer.body, "no TransGlobal with gid: no-such-gid found")
	})
}

func TestAbortOfSaga(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a1", ongoing)
	saga := newSaga(t, p, "1")
	submit(t, saga)
	answer := post(t, "abort", toJSON(t, map[string]string{"gid": saga.Gid, "trans_type": "saga"}))
	if answer.status < 400 || strings.Contains(answer.body, "SUCCESS") {
		t.Errorf("abort: %d %s, want a refusal", answer.status, answer.body)
	}
	p.on("a1", success)
	waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
}

func TestGidCharacters(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	given := map[string]string{
		"quotes and spaces":        gid + `-'"` + "` x",
		"newlines and semicolons":  gid + "-\n;\r;stripped",
		"128 characters":           gid + strings.Repeat("x", 106),
		"characters of every kind": gid + "-é漢😀%2F/?&#+=",
	}
	for name, wish := range given {
		name, wish := name, wish
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParticipant(t)
			saga := newSaga(t, p, "1")
			saga.Gid = wish
			submit(t, saga)
			stored := strings.NewReplacer("\n", "", "\r", "", ";", "").Replace(wish)
			waitForStatus(t, stored, dtmcli.StatusSucceed)
			equal(t, "gid at the participant", p.to("a1")[0].query.Get("gid"), stored)
		})
	}
}

func TestBadSubmit(t *testing.T) {
	t.Parallel()
	step := `{"action":"http://127.0.0.1:9/a","compensate":"http://127.0.0.1:9/c"}`
	bodies := map[string]struct{ body, names string }{
		"not JSON":          {`nonsense`, ""},
		"not an object":     {`[]`, ""},
		"no gid":            {`{"trans_type":"saga","steps":[` + step + `],"payloads":["{}"]}`, "gid"},
		"gid too long":      {`{"gid":"` + strings.Repeat("x", 129) + `","trans_type":"saga","steps":[` + step + `],"payloads":["{}"]}`, "gid"},
		"no trans_type":     {`{"gid":"bad-1","steps":[` + step + `],"payloads":["{}"]}`, "trans_type"},
		"other trans_type":  {`{"gid":"bad-2","trans_type":"party","steps":[` + step + `],"payloads":["{}"]}`, "trans_type"},
		"too few payloads":  {`{"gid":"bad-3","trans_type":"saga","steps":[` + step + `,` + step + `],"payloads":["{}"]}`, "payloads"},
		"steps not a list":  {`{"gid":"bad-4","trans_type":"saga","steps":7,"payloads":["{}"]}`, "steps"},
		"number as payload": {`{"gid":"bad-5","trans_type":"saga","steps":[` + step + `],"payloads":[7]}`, "payloads"},
	}
	for name, given := range bodies {
		name, given := name, given
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := post(t, "submit", given.body)
			equal(t, "status", answer.status, http.StatusBadRequest)
			var said struct{ Message string }
			fromJSON(t, answer.body, &said)
			contains(t, "message", said.Message, given.names)
			if said.Message == "" || strings.Contains(answer.body, "SUCCESS") {
				t.Errorf("answer: %s", answer.body)
			}
		})
	}
}
