package conformance

import (
	"errors"
	"net/http"
	"os"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/go-redis/redis/v8"
)

// Longer than any case. Seconds.
const barrierExpire = 600

// stock is an item of a case's own in Redis, of which there are 4.
type stock struct {
	redis *redis.Client
	key   string
}

func newStock(t *testing.T) stock {
	t.Helper()
	place := os.Getenv("AMENDS_REDIS")
	if place == "" {
		needs(t, "redis")
	}
	options, err := redis.ParseURL(place)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	key := "stock-" + newGid(t)
	if err := client.Set(client.Context(), key, 4, 0).Err(); err != nil {
		t.Fatal(err)
	}
	return stock{client, key}
}

func (s stock) left(t *testing.T) string {
	t.Helper()
	left, err := s.redis.Get(s.redis.Context(), s.key).Result()
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func (s stock) adjust(amount int) func(*dtmcli.BranchBarrier) error {
	return func(barrier *dtmcli.BranchBarrier) error {
		return barrier.RedisCheckAdjustAmount(s.redis, s.key, amount, barrierExpire)
	}
}

func (s stock) behind(amount int) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		barrier, err := dtmcli.BarrierFromQuery(r.URL.Query())
		if err == nil {
			err = s.adjust(amount)(barrier)
		}
		reply(err)(w, r)
	}
}

func (s stock) saga(t *testing.T, p *participant, count int) *dtmcli.Saga {
	t.Helper()
	p.on("take", often(2, s.behind(-count)))
	p.on("giveBack", often(2, s.behind(count)))
	saga := dtmcli.NewSaga(dtm, newGid(t)).
		Add(p.url("take"), p.url("giveBack"), nil).
		Add(p.url("pay"), p.url("payBack"), nil)
	saga.WaitResult = true
	return saga
}

func TestSagaBarrierRedisNormal(t *testing.T) {
	t.Parallel()
	s, p := newStock(t), newParticipant(t)
	if err := s.saga(t, p, 1).Submit(); err != nil {
		t.Fatalf("submit: %v", err)
	}
	equal(t, "stock", s.left(t), "3")
}

func TestSagaBarrierRedisRollback(t *testing.T) {
	t.Parallel()
	s, p := newStock(t), newParticipant(t)
	p.on("pay", failure)
	saga := s.saga(t, p, 2)
	if err := saga.Submit(); err == nil {
		t.Fatal("submit: no error although the payment was refused")
	}
	waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
	equal(t, "stock", s.left(t), "4")
}

func TestSagaBarrierRedisSoldOut(t *testing.T) {
	t.Parallel()
	s, p := newStock(t), newParticipant(t)
	saga := s.saga(t, p, 5)
	if err := saga.Submit(); err == nil {
		t.Fatal("submit: no error although there is not enough")
	}
	waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
	equal(t, "stock", s.left(t), "4")
}

func (s stock) message(t *testing.T, p *participant) *dtmcli.Msg {
	t.Helper()
	p.on("query", func(w http.ResponseWriter, r *http.Request) {
		barrier, err := dtmcli.BarrierFromQuery(r.URL.Query())
		if err == nil {
			err = barrier.RedisQueryPrepared(s.redis, barrierExpire)
		}
		reply(err)(w, r)
	})
	msg := dtmcli.NewMsg(dtm, newGid(t)).Add(p.url("order"), nil)
	msg.RetryInterval = 1
	msg.TimeoutToFail = 1
	return msg
}

func TestMsgRedisDo(t *testing.T) {
	t.Parallel()
	s, p := newStock(t), newParticipant(t)
	msg := s.message(t, p)
	if err := msg.DoAndSubmit(p.url("query"), s.adjust(-1)); err != nil {
		t.Fatalf("do and submit: %v", err)
	}
	waitForStatus(t, msg.Gid, dtmcli.StatusSucceed)
	equal(t, "stock", s.left(t), "3")
	equal(t, "calls", p.order(), []string{"order"})
}

func TestMsgRedisBusiFailed(t *testing.T) {
	t.Parallel()
	s, p := newStock(t), newParticipant(t)
	msg := s.message(t, p)
	if err := msg.DoAndSubmit(p.url("query"), s.adjust(-5)); !errors.Is(err, dtmcli.ErrFailure) {
		t.Fatalf("do and submit: %v, want FAILURE", err)
	}
	waitForStatus(t, msg.Gid, dtmcli.StatusFailed)
	equal(t, "stock", s.left(t), "4")
}

func TestMsgRedisBusiLater(t *testing.T) {
	t.Parallel()
	s, p := newStock(t), newParticipant(t)
	msg := s.message(t, p)
	if err := msg.Prepare(p.url("query")); err != nil {
		t.Fatalf("prepare: %v", err)
	}
	waitForStatus(t, msg.Gid, dtmcli.StatusFailed)
	barrier, err := dtmcli.BarrierFrom("msg", msg.Gid, "00", "msg")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.adjust(-1)(barrier); !errors.Is(err, dtmcli.ErrDuplicated) {
		t.Fatalf("deduction: %v, want DUPLICATED", err)
	}
	equal(t, "stock", s.left(t), "4")
}
