import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import pub.dtm.client.DtmClient;
import pub.dtm.client.saga.Saga;
import pub.dtm.client.tcc.Tcc;

/** The cases of DTM's Java client, dtmcli-java 2.1.5: one line of JSON for each. Participants answer by script. */
public class Suite {
  static final String AMENDS = System.getenv("AMENDS_URL");
  static final int SUCCESS = 200, FAILURE = 409, ONGOING = 425, BROKEN = 500;
  static final ObjectMapper JSON = new ObjectMapper();
  static final HttpClient HTTP = HttpClient.newHttpClient();

  interface Case {
    void run() throws Exception;
  }

  static class Skipped extends RuntimeException {
    Skipped(String reason) {
      super(reason);
    }
  }

  record Call(String name, Map<String, String> query, Map<String, List<String>> headers, String body) {}

  /** Answers each path by its script, one status after the other (the last repeats), and remembers every call. */
  static class Participant {
    final List<Call> calls = new ArrayList<>();
    final Map<String, List<Integer>> scripts = new ConcurrentHashMap<>();
    final HttpServer server;

    Participant() throws IOException {
      server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
      server.setExecutor(Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
      }));
      server.createContext("/", this::answer);
      server.start();
    }

    String url(String name) {
      return "http://127.0.0.1:" + server.getAddress().getPort() + "/" + name;
    }

    void on(String name, Integer... answers) {
      scripts.put(name, new ArrayList<>(Arrays.asList(answers)));
    }

    void answer(HttpExchange exchange) throws IOException {
      String name = exchange.getRequestURI().getPath().substring(1);
      String body = new String(exchange.getRequestBody().readAllBytes());
      int status;
      synchronized (calls) {
        calls.add(new Call(name, query(exchange.getRequestURI().getRawQuery()), Map.copyOf(exchange.getRequestHeaders()), body));
        List<Integer> script = scripts.getOrDefault(name, List.of(SUCCESS));
        status = script.size() > 1 ? script.remove(0) : script.get(0);
      }
      byte[] text = ("{\"said\":" + status + "}").getBytes();
      exchange.getResponseHeaders().set("content-type", "application/json");
      exchange.sendResponseHeaders(status, text.length);
      exchange.getResponseBody().write(text);
      exchange.close();
    }

    static Map<String, String> query(String raw) {
      Map<String, String> found = new LinkedHashMap<>();
      for (String pair : raw == null ? new String[0] : raw.split("&")) found.put(pair.split("=", 2)[0], pair.split("=", 2)[1]);
      return found;
    }

    List<String> order() {
      synchronized (calls) {
        return calls.stream().map(Call::name).collect(Collectors.toList());
      }
    }

    Call first(String name) {
      synchronized (calls) {
        return calls.stream().filter(call -> call.name().equals(name)).findFirst().orElseThrow();
      }
    }
  }

  static String statusOf(String gid) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(AMENDS + "/api/dtmsvr/query?gid=" + gid)).build();
    JsonNode body = JSON.readTree(HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body());
    return body.get("transaction").get("status").asText();
  }

  static void waitFor(String gid, String status) throws Exception {
    long deadline = System.nanoTime() + 40_000_000_000L;
    while (!statusOf(gid).equals(status)) {
      if (System.nanoTime() > deadline) throw new AssertionError(gid + " is " + statusOf(gid) + ", never became " + status);
      Thread.sleep(50);
    }
  }

  static void equal(String what, Object got, Object wanted) {
    if (!Objects.equals(got, wanted)) throw new AssertionError(what + ": got " + got + ", want " + wanted);
  }

  static void raises(Case act) {
    try {
      act.run();
    } catch (Exception expected) {
      return;
    }
    throw new AssertionError("nothing was raised");
  }

  static DtmClient client() {
    return new DtmClient(URI.create(AMENDS).getAuthority()); // It puts the scheme before it itself.
  }

  static final Map<String, Object> THIRTY = Map.of("cents", 30);

  static Saga twoSteps(Participant participant) {
    return client().newSaga()
        .add(participant.url("debit"), participant.url("undebit"), THIRTY)
        .add(participant.url("credit"), participant.url("uncredit"), THIRTY);
  }

  static void caseSagaNormal() throws Exception {
    Participant participant = new Participant();
    Saga saga = twoSteps(participant).enableWaitResult();
    String gid = saga.submit();
    equal("status", statusOf(gid), "succeed");
    equal("calls", participant.order(), List.of("debit", "credit"));
    Call credit = participant.first("credit");
    equal("query", credit.query(), Map.of("branch_id", "02", "gid", gid, "op", "action", "trans_type", "saga"));
    equal("body", JSON.readTree(credit.body()), JSON.readTree("{\"cents\":30}"));
  }

  static void caseSagaRollback() throws Exception {
    Participant participant = new Participant();
    participant.on("credit", FAILURE);
    Saga saga = twoSteps(participant).enableWaitResult();
    raises(saga::submit);
    waitFor(saga.getGid(), "failed");
    equal("calls", participant.order(), List.of("debit", "credit", "uncredit", "undebit"));
  }

  static void caseSagaFlaky() throws Exception {
    Participant participant = new Participant();
    participant.on("debit", BROKEN, SUCCESS);
    waitFor(twoSteps(participant).submit(), "succeed");
    equal("calls", participant.order(), List.of("debit", "debit", "credit"));
  }

  static void caseSagaOutcomeOpen() throws Exception {
    Participant participant = new Participant();
    participant.on("debit", ONGOING, SUCCESS);
    Saga saga = twoSteps(participant).enableWaitResult();
    raises(saga::submit);
    waitFor(saga.getGid(), "succeed");
  }

  static void caseSagaConcurrentOrder() throws Exception {
    Participant participant = new Participant();
    String gid = client().newSaga()
        .add(participant.url("a"), "", THIRTY)
        .add(participant.url("b"), "", THIRTY)
        .add(participant.url("c"), "", THIRTY)
        .enableConcurrent()
        .addBranchOrder(2, List.of(0, 1))
        .submit();
    waitFor(gid, "succeed");
    equal("the last call", participant.order().get(2), "c");
  }

  static void caseSagaOptions() {
    throw new Skipped("setRetryInterval, setTimeoutToFail and setBranchHeaders of this version call themselves without end");
  }

  static void branch(Tcc tcc, Participant participant, String name) throws Exception {
    tcc.callBranch(THIRTY, participant.url("try/" + name), participant.url("confirm/" + name), participant.url("cancel/" + name));
  }

  static void caseTccNormal() throws Exception {
    Participant participant = new Participant();
    String gid = client().tccGlobalTransaction(tcc -> {
      branch(tcc, participant, "debit");
      branch(tcc, participant, "credit");
    });
    waitFor(gid, "succeed");
    equal("calls", participant.order(), List.of("try/debit", "try/credit", "confirm/credit", "confirm/debit"));
    equal("body", JSON.readTree(participant.first("confirm/debit").body()), JSON.readTree("{\"cents\":30}"));
  }

  static void caseTccRollback() throws Exception {
    Participant participant = new Participant();
    participant.on("try/credit", FAILURE);
    String[] gid = new String[1];
    try {
      client().tccGlobalTransaction(tcc -> {
        gid[0] = tcc.getGid();
        branch(tcc, participant, "debit");
        branch(tcc, participant, "credit");
      });
    } catch (Exception mayBe) {
      // Whether the client passes it on is its own affair.
    }
    waitFor(gid[0], "failed");
    equal("calls", participant.order(), List.of("try/debit", "try/credit", "cancel/credit", "cancel/debit"));
  }

  static void caseTccGidGiven() throws Exception {
    Participant participant = new Participant();
    String gid = "java-" + System.nanoTime();
    equal("gid", client().tccGlobalTransaction(gid, tcc -> branch(tcc, participant, "debit")), gid);
    waitFor(gid, "succeed");
  }

  static void caseBarrier() {
    throw new Skipped("this version's barrier does not commit when it skips the business (null compensation, repeats), with any server");
  }

  /** Tells how a case went. */
  static void run(String name, Case body) {
    long began = System.nanoTime();
    String outcome = "passed", output = "";
    try {
      body.run();
    } catch (Skipped reason) {
      outcome = "skipped";
      output = reason.getMessage();
    } catch (Throwable error) {
      outcome = "failed";
      StringWriter text = new StringWriter();
      error.printStackTrace(new PrintWriter(text));
      output = text.toString();
    }
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("name", name);
    line.put("outcome", outcome);
    line.put("seconds", (System.nanoTime() - began) / 1_000_000 / 1000.0);
    line.put("output", output);
    try {
      System.out.println(JSON.writeValueAsString(line));
    } catch (IOException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /** Side by side: those that retry mostly wait, for the client cannot ask for less than the ten seconds of the server. */
  public static void main(String[] args) throws Exception {
    Map<String, Case> cases = new LinkedHashMap<>();
    cases.put("SagaNormal", Suite::caseSagaNormal);
    cases.put("SagaRollback", Suite::caseSagaRollback);
    cases.put("SagaFlaky", Suite::caseSagaFlaky);
    cases.put("SagaOutcomeOpen", Suite::caseSagaOutcomeOpen);
    cases.put("SagaConcurrentOrder", Suite::caseSagaConcurrentOrder);
    cases.put("SagaOptions", Suite::caseSagaOptions);
    cases.put("TccNormal", Suite::caseTccNormal);
    cases.put("TccRollback", Suite::caseTccRollback);
    cases.put("TccGidGiven", Suite::caseTccGidGiven);
    cases.put("Barrier", Suite::caseBarrier);
    ExecutorService pool = Executors.newCachedThreadPool();
    cases.forEach((name, body) -> pool.execute(() -> run(name, body)));
    pool.shutdown();
    pool.awaitTermination(5, TimeUnit.MINUTES);
    System.exit(0);
  }
}
