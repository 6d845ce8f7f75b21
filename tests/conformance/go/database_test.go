package conformance

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmcli/dtmimp"
	_ "github.com/go-sql-driver/mysql"
	_ "github.com/lib/pq"
)

// database is one whose accounts participants move money in, behind DTM's barrier.
type database struct {
	kind string
	conf dtmcli.DBConf
	db   *sql.DB
}

// schemas make DTM's table of barriers and the accounts of these cases, and leave what is there.
var schemas = map[string][]string{
	dtmcli.DBTypeMysql: {
		`create database if not exists dtm_barrier default character set utf8mb4`,
		`create table if not exists dtm_barrier.barrier(
			id bigint(22) primary key auto_increment, trans_type varchar(45) default '', gid varchar(128) default '',
			branch_id varchar(128) default '', op varchar(45) default '', barrier_id varchar(45) default '',
			reason varchar(45) default '', create_time datetime default now(), update_time datetime default now(),
			key(create_time), key(update_time), unique key(gid, branch_id, op, barrier_id)) engine = innodb default charset utf8mb4`,
		`create table if not exists go_account(id varchar(64) primary key, cents bigint not null) engine = innodb`,
	},
	dtmcli.DBTypePostgres: {
		`create schema if not exists dtm_barrier`,
		`create sequence if not exists dtm_barrier.barrier_seq`,
		`create table if not exists dtm_barrier.barrier(
			id bigint not null default nextval('dtm_barrier.barrier_seq') primary key, trans_type varchar(45) default '',
			gid varchar(128) default '', branch_id varchar(128) default '', op varchar(45) default '',
			barrier_id varchar(45) default '', reason varchar(45) default '',
			create_time timestamp(0) with time zone default now(), update_time timestamp(0) with time zone default now(),
			constraint uniq_barrier unique(gid, branch_id, op, barrier_id))`,
		`create table if not exists go_account(id varchar(64) primary key, cents bigint not null)`,
	},
}

var opened = map[string]func() (*database, error){
	dtmcli.DBTypeMysql:    opening(dtmcli.DBTypeMysql, "AMENDS_MARIADB"),
	dtmcli.DBTypePostgres: opening(dtmcli.DBTypePostgres, "AMENDS_POSTGRES"),
}

// opening opens a database with its first call, and gives the same one, or the same error, with every other.
func opening(kind string, variable string) func() (*database, error) {
	var once sync.Once
	var d *database
	var err error
	return func() (*database, error) {
		once.Do(func() { d, err = openDatabase(kind, variable) })
		return d, err
	}
}

func openDatabase(kind string, variable string) (*database, error) {
	place, err := url.Parse(os.Getenv(variable))
	if err != nil || place.Host == "" {
		return nil, err
	}
	port, err := strconv.ParseInt(place.Port(), 10, 64)
	if err != nil {
		return nil, err
	}
	password, isSet := place.User.Password()
	if !isSet && kind == dtmcli.DBTypePostgres {
		// In the client's text for Postgres an empty one would swallow what follows, as an empty schema would; the server asks for none.
		password = "none"
	}
	conf := dtmcli.DBConf{
		Driver: kind, Host: place.Hostname(), Port: port, User: place.User.Username(), Password: password,
		Db: strings.TrimPrefix(place.Path, "/"), Schema: "public",
	}
	db, err := sql.Open(kind, dtmimp.GetDsn(conf))
	if err != nil {
		return nil, err
	}
	for _, statement := range schemas[kind] {
		if _, err := db.Exec(statement); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
	}
	return &database{kind, conf, db}, nil
}

// onDatabases runs a case once on each database that there is.
func onDatabases(t *testing.T, run func(t *testing.T, d *database)) {
	t.Parallel()
	for kind, open := range opened {
		kind, open := kind, open
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			d, err := open()
			if err != nil {
				t.Fatal(err)
			}
			if d == nil {
				needs(t, kind)
			}
			run(t, d)
		})
	}
}

// needs skips a case for want of a service; with CI=true it fails.
func needs(t *testing.T, service string) {
	t.Helper()
	if service == dtmcli.DBTypeMysql {
		service = "mariadb"
	}
	reason := "no " + service + ": AMENDS_" + strings.ToUpper(service) + " is not set"
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// account is one of a case's own, with 100 cents.
func (d *database) account(t *testing.T, name string) string {
	t.Helper()
	id := name + "-" + newGid(t)
	if _, err := d.db.Exec(fmt.Sprintf("insert into go_account(id, cents) values('%s', 100)", id)); err != nil {
		t.Fatalf("new account: %v", err)
	}
	return id
}

func (d *database) cents(t *testing.T, account string) int {
	t.Helper()
	var cents int
	if err := d.db.QueryRow(fmt.Sprintf("select cents from go_account where id = '%s'", account)).Scan(&cents); err != nil {
		t.Fatalf("balance: %v", err)
	}
	return cents
}

type execer interface {
	Exec(query string, args ...any) (sql.Result, error)
}

// move changes an account, which must not become negative.
func move(in execer, account string, cents int) error {
	result, err := in.Exec(fmt.Sprintf("update go_account set cents = cents + %d where id = '%s' and cents + %d >= 0", cents, account, cents))
	if err != nil {
		return err
	}
	if moved, err := result.RowsAffected(); err != nil || moved == 1 {
		return err
	}
	return dtmcli.ErrFailure
}

// barrier is that of a call, on this database.
func (d *database) barrier(query url.Values) *dtmcli.BranchBarrier {
	barrier, err := dtmcli.BarrierFromQuery(query)
	if err != nil {
		panic(err)
	}
	barrier.DBType = d.kind
	return barrier
}

// behind answers calls by moving an account behind the barrier.
func (d *database) behind(account string, cents int) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		reply(d.barrier(r.URL.Query()).CallWithDB(d.db, func(tx *sql.Tx) error { return move(tx, account, cents) }))(w, r)
	}
}

// reply is how the client tells an outcome.
func reply(outcome error) answer {
	status, body := dtmcli.Result2HttpJSON(outcome)
	return respond(status, fmt.Sprintf(`{"said":%q}`, fmt.Sprint(body)))
}

// often calls a handler as often as a server that gets no answer.
func often(times int, handle answer) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 1; i < times; i++ {
			handle(discarded{http.Header{}}, r)
		}
		handle(w, r)
	}
}

type discarded struct{ header http.Header }

func (d discarded) Header() http.Header           { return d.header }
func (discarded) Write(bytes []byte) (int, error) { return len(bytes), nil }
func (discarded) WriteHeader(int)                 {}
