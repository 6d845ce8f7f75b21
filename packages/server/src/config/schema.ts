/**
 * Every option of the server: its name, unit, default and bounds. Help, documentation, flags and environment names are made from
 * here.
 */
import { limits } from '@amends/core';
import { z } from 'zod';
import { isAddressPattern } from '../addresses/address-patterns.ts';

const port = z.int().min(0).max(65_535);
const hostOrNetwork = z
  .string()
  .refine(isAddressPattern, { error: 'must be a host (api.example.com, *.example.com) or a network (10.0.0.0/8)' });
const retention = z
  .string()
  .regex(
    /^(off|[1-9]\d{0,5}[smhd]|[1-9]\d{6,8}s)$/,
    'must be a number with a unit of s, m, h or d, such as 7d, or off, which keeps all',
  )
  .default('7d');
const webAddress = z
  .string()
  .refine((text) => text === '' || (/^https?:\/\//i.test(text) && URL.canParse(text)), {
    error: 'must be an address that begins with http:// or https://',
  })
  .default('');
const pemFile = z.string().default('');

/** The options. Nested names are joined by dots: `participants.allow`. */
export const configSchema = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe(
      'Address to listen on. Any that is not loopback needs `insecure` or `tls.clientCa`, because this version has no other authentication',
    ),
  port: port.default(36_789).describe('TCP port of the HTTP API, native and DTM; 0: a free one is chosen'),
  grpcPort: port.default(36_790).describe("TCP port of DTM's gRPC API; 0: a free one is chosen"),
  grpcReflection: z
    .boolean()
    .default(false)
    .describe('Tell whoever asks over gRPC which rpcs there are, as tools such as grpcurl do'),
  tls: z
    .strictObject({
      cert: pemFile.describe(
        'PEM file with the certificate of this server, chain included: HTTP and gRPC are served over TLS only',
      ),
      key: pemFile.describe('PEM file with the key of `tls.cert`'),
      clientCa: pemFile.describe(
        'PEM file with the authorities whose certificates every client must show, on HTTP and gRPC, health checks included (mTLS)',
      ),
    })
    .prefault({}),
  store: z
    .string()
    .regex(/^(sqlite:.+|memory:)$/, 'must be sqlite:PATH, or memory: which forgets everything at the end')
    .default('sqlite:./data/amends.db')
    .describe('Where transactions live: `sqlite:PATH`, or `memory:` for trying out'),
  acceptDamagedLog: z
    .boolean()
    .default(false)
    .describe(
      'Start although the write-ahead log of the store has lost commits that were answered, and forget those; a copy of the log is kept',
    ),
  retainSucceeded: retention.describe(
    'How long a transaction is kept after it has succeeded: a number with `s`, `m`, `h` or `d`, or `off`, which keeps all',
  ),
  retainFailed: retention.describe('How long a transaction is kept after it has failed or was terminated, likewise'),
  insecure: z
    .boolean()
    .default(false)
    .describe('Listen on an address that others can reach, although whoever reaches it may do everything'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Least important messages that are logged'),
  logFormat: z
    .enum(['auto', 'json', 'text'])
    .default('auto')
    .describe('`json`: one object per line; `text`: for people; `auto`: text on a terminal'),
  requestTimeoutMs: z
    .int()
    .min(1)
    .max(limits.callTimeoutMsMax)
    .default(3_000)
    .describe('Time for one call of a participant, in milliseconds, where a DTM client names none'),
  retryIntervalMs: z
    .int()
    .min(1)
    .max(limits.retryDelayMsMax)
    .default(10_000)
    .describe('Pause before the second attempt, in milliseconds, where a DTM client names none'),
  timeoutToFailMs: z
    .int()
    .min(1)
    .max(limits.transactionTimeoutMsMax)
    .default(35_000)
    .describe(
      'Time after which tcc and xa transactions that are only prepared are rolled back, and messages are asked about, in milliseconds, where a DTM client names none',
    ),
  dtm: z
    .strictObject({
      runAhead: z
        .boolean()
        .default(true)
        .describe(
          "Call a step of a DTM client's transaction before the success of the step before it is stored, so that a quick one is stored twice and not once for each step. `false` where participants cannot take a compensation for what they never heard of, as DTM's barriers can",
        ),
    })
    .prefault({}),
  inFlightMax: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(20_000)
    .describe('Transactions in memory above which new ones are refused with 503'),
  perHostInFlightMax: z
    .int()
    .min(1)
    .max(10_000)
    .default(128)
    .describe(
      'Calls at once to one participant host; more wait for their place, not started yet, each with all of its time to come',
    ),
  participants: z
    .strictObject({
      allow: z
        .array(hostOrNetwork)
        .default([])
        .describe(
          'Hosts (`*.example.com`) and networks (`10.1.0.0/16`) that may be called although they are private. Matters only where `host` is not loopback: while it is, private networks and loopback may be called without it',
        ),
      deny: z
        .array(hostOrNetwork)
        .default([])
        .describe('Hosts and networks that are never called; wins over `participants.allow`'),
      tls: z
        .strictObject({
          ca: pemFile.describe(
            'PEM file with the authorities whose certificates participants (`https://`, `grpcs://`) may show, instead of the well-known ones',
          ),
          cert: pemFile.describe('PEM file with the certificate, chain included, shown to participants that ask for one'),
          key: pemFile.describe('PEM file with the key of `participants.tls.cert`'),
        })
        .prefault({}),
    })
    .prefault({}),
  alert: z
    .strictObject({
      webHook: webAddress.describe(
        'Address that is told by POST, as JSON with gid, status, branch, error and retry_count, of calls that go on failing and of what is held for a human',
      ),
      retryLimit: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(3)
        .describe('Attempts without a verdict, one after the other, after which `alert.webHook` is told of a call, once'),
    })
    .prefault({}),
  bodyBytesMax: z
    .int()
    .min(1_024)
    .max(limits.bodyBytesMax)
    .default(limits.bodyBytesMax)
    .describe('Largest request body, in bytes'),
  stopGraceMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(10_000)
    .describe('Time for calls in flight to end when the server is stopped, in milliseconds'),
});

/** The options with every default filled in. */
export type ConfigValues = z.output<typeof configSchema>;
