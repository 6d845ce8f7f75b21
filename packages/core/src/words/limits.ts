/**
 * Every limit of Amends in one place, each with its reason. Servers may lower them by configuration, never raise them silently.
 */
export const limits = {
  /** A transaction is a plan, not a file transfer: larger data belongs in a store of its own and is referred to. Bytes. */
  bodyBytesMax: 1_048_576,
  /** The line of the request and its headers together: what other servers take at most. Bytes. */
  requestHeadBytesMax: 16_384,
  /** Time to send a whole request; slower ones hold a connection for nothing. Milliseconds. */
  requestMsMax: 60_000,
  /** Each branch costs state in the transaction's row at every commit; DTM's own ids stop at 99 to 999. */
  branchesMax: 1_000,
  /** All payloads of one transaction together; they travel inside one body. Bytes. */
  payloadBytesMax: 1_048_576,
  /** DTM's column is varchar(128), and clients build barrier keys from it. */
  gidCharactersMax: 128,
  /** Longer addresses are refused by common servers and proxies. */
  urlCharactersMax: 2_048,
  /** Headers added to every branch call: their count, and the name and the value of one. */
  headersMax: 32,
  headerNameCharactersMax: 128,
  headerCharactersMax: 4_096,
  /** Nesting of a JSON body; deeper ones only appear in attacks on recursive parsers. */
  jsonDepthMax: 64,
  /** Keys of one JSON body; more only appear in attacks on hash tables. */
  jsonKeysMax: 10_000,
  /** Bytes of a participant's answer that are read; the rest is not waited for. An answer is a verdict, not a document. */
  answerBytesMax: 65_536,
  /**
   * Answers that the steps of one transaction keep for later payloads, together; whole answers stay in memory while it lives.
   * Bytes.
   */
  keptAnswersBytesMax: 1_048_576,
  /** Name of a step, by which payloads refer to its answer. */
  stepNameCharactersMax: 64,
  /** Characters of an answer kept in reasons and history. */
  answerCharactersKept: 1_024,
  /** Free text of operators: reasons of interventions. */
  reasonCharactersMax: 1_024,
  /** Who acts, by the header `X-Amends-Actor`. */
  actorCharactersMax: 128,
  /** Name of an op that a workflow records; DTM's column has as many. */
  opCharactersMax: 45,
  /** Name of a topic: it is part of an address. */
  topicCharactersMax: 128,
  /** Subscribers of one topic: a message becomes a branch for each. */
  subscribersMax: 1_000,
  /** How long after a commit its owner may start calls that only its next one tells of. Milliseconds. */
  runAheadMsMax: 1_000,
  /** The longest time-out of a call: a longer task answers *ongoing* and is asked again. Milliseconds. */
  callTimeoutMsMax: 600_000,
  /** The longest pause between two attempts. Milliseconds. */
  retryDelayMsMax: 86_400_000,
  /** The longest life that a transaction may ask for before it is rolled back or an alarm is raised: a year. Milliseconds. */
  transactionTimeoutMsMax: 31_536_000_000,
  /** The longest that one request may wait for an outcome; ask again after it. Milliseconds. */
  waitMsMax: 120_000,
  /** Rows of one page of a list. */
  pageRowsMax: 1_000,
  /** History rows that one read returns at most. */
  historyRowsMax: 5_000,
} as const;
