package conformance

import (
	"net/http"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
)

func TestBranchCallForm(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a2", failure)
	saga := newSaga(t, p, "1")
	saga.Add(p.url("a2")+"?z=1&a=2", p.url("c2"), payload{Amount: 7})
	submit(t, saga)
	waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
	expect := []struct{ name, query, body string }{
		{"a1", "branch_id=01&gid=" + saga.Gid + "&op=action&trans_type=saga", `{"amount":30}`},
		{"a2", "z=1&a=2&branch_id=02&gid=" + saga.Gid + "&op=action&trans_type=saga", `{"amount":7}`},
		{"c2", "branch_id=02&gid=" + saga.Gid + "&op=compensate&trans_type=saga", `{"amount":7}`},
		{"c1", "branch_id=01&gid=" + saga.Gid + "&op=compensate&trans_type=saga", `{"amount":30}`},
	}
	equal(t, "calls", p.order(), []string{"a1", "a2", "c2", "c1"})
	for _, want := range expect {
		c := p.to(want.name)[0]
		equal(t, "method of "+want.name, c.method, http.MethodPost)
		equal(t, "path of "+want.name, c.path, "/"+want.name)
		equal(t, "query of "+want.name, c.rawQuery, want.query)
		equal(t, "body of "+want.name, c.body, want.body)
		equal(t, "Content-Type of "+want.name, c.header.Get("Content-Type"), "application/json")
		equal(t, "Accept of "+want.name, c.header.Get("Accept"), "application/json")
	}
}

func TestBranchCallReadableByClient(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	saga := newSaga(t, p, "1")
	submit(t, saga)
	waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	barrier, err := dtmcli.BarrierFromQuery(p.to("a1")[0].query)
	if err != nil {
		t.Fatalf("the client finds no barrier in the query: %v", err)
	}
	equal(t, "gid", barrier.Gid, saga.Gid)
	equal(t, "branch", barrier.BranchID, "01")
	equal(t, "op", barrier.Op, "action")
	equal(t, "mode", barrier.TransType, "saga")
}

func TestNilPayload(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	saga := newSaga(t, p)
	saga.Add(p.url("a1"), p.url("c1"), nil)
	submit(t, saga)
	waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	equal(t, "method", p.to("a1")[0].method, http.MethodPost)
	equal(t, "body", p.to("a1")[0].body, "null")
}

func TestEmptyPayloadIsGet(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	gid := newGid(t)
	submitRaw(t, map[string]any{
		"gid": gid, "trans_type": "saga", "payloads": []string{""},
		"steps": []map[string]string{{"action": p.url("a1"), "compensate": p.url("c1")}},
	})
	waitForStatus(t, gid, dtmcli.StatusSucceed)
	equal(t, "method", p.to("a1")[0].method, http.MethodGet)
	equal(t, "body", p.to("a1")[0].body, "")
	equal(t, "query", p.to("a1")[0].rawQuery, "branch_id=01&gid="+gid+"&op=action&trans_type=saga")
}

func TestBodyUnchanged(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"spaces and numbers":   "{ \"b\" : 1.0 ,\n\t\"a\":12345678901234567890, \"a\":1e3 }\r\n",
		"characters":           "{\"name\":\"\u00e9\u0000\u2028 \\u00e9 漢字 😀 <&>\\/\"}",
		"not JSON":             "amount=30&note=a;b",
		"text with a BOM":      "\ufeff{}",
		"percent and question": `"100% ? # &"`,
	}
	for name, body := range bodies {
		name, body := name, body
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParticipant(t)
			gid := newGid(t)
			submitRaw(t, map[string]any{
				"gid": gid, "trans_type": "saga", "payloads": []string{body},
				"steps": []map[string]string{{"action": p.url("a1"), "compensate": p.url("c1")}},
			})
			s := waitForStatus(t, gid, dtmcli.StatusSucceed)
			equal(t, "body", p.to("a1")[0].body, body)
			equal(t, "bin_data", string(s.Branches[1].BinData), body)
		})
	}
}

func TestOldPayloadForm(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a2", failure)
	gid := newGid(t)
	submitRaw(t, map[string]any{
		"gid": gid, "trans_type": "saga",
		"steps": []map[string]string{
			{"action": p.url("a1"), "compensate": p.url("c1"), "data": `{"amount":1}`},
			{"action": p.url("a2"), "compensate": p.url("c2"), "data": `{"amount":2}`},
		},
	})
	waitForStatus(t, gid, dtmcli.StatusFailed)
	equal(t, "calls", p.order(), []string{"a1", "a2", "c2", "c1"})
	equal(t, "body of a1", p.to("a1")[0].body, `{"amount":1}`)
	equal(t, "body of a2", p.to("a2")[0].body, `{"amount":2}`)
	equal(t, "body of c1", p.to("c1")[0].body, `{"amount":1}`)
}

func TestOtherClientsFields(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	gid := newGid(t)
	submitRaw(t, map[string]any{
		"GID": gid, "Trans_Type": "saga", "payloads": []string{"{}"}, "protocol": nil, "custom_data": nil, "branch_headers": nil,
		"query_prepared": nil, "rollback_reason": nil, "req_extra": nil, "request_timeout": 8, "passthrough_headers": []string{},
		"subType": "saga", "status": "succeed", "op": "action", "dtm": dtm, "bin_payloads": nil, "retry_count": 99, "retry_limit": nil,
		"steps": []map[string]string{{"action": p.url("a1"), "compensate": p.url("c1")}},
	})
	waitForStatus(t, gid, dtmcli.StatusSucceed)
	equal(t, "calls", p.order(), []string{"a1"})
}

// submitRaw submits a transaction written by hand.
func submitRaw(t *testing.T, body map[string]any) {
	t.Helper()
	answer := post(t, "submit", toJSON(t, body))
	if answer.status != http.StatusOK {
		t.Fatalf("submit: %d %s", answer.status, answer.body)
	}
	contains(t, "answer", answer.body, `"dtm_result":"SUCCESS"`)
}
