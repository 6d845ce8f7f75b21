package conformance

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
)

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

func TestMsgTopicNotFound(t *testing.T) {
	t.Parallel()
	msg := dtmcli.NewMsg(dtm, newGid(t)).AddTopic("nobody-"+strings.ToLower(newGid(t)), payload{Amount: 30})
	err := msg.Prepare("http://127.0.0.1:1/query")
	if err == nil {
		t.Fatal("a message to a topic that is not there was prepared")
	}
	contains(t, "error", err.Error(), "topic not found")
}
