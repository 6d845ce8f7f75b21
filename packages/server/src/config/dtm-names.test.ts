import { describe, expect, it } from 'vitest';
import { scratchFile } from '../testing/scratch.ts';
import { resolveConfig } from './resolve.ts';

const fromFile = (text: string) => resolveConfig({ file: scratchFile('conf.yml', text) });

describe("DTM's environment", () => {
  it('means the same here, in our units', () => {
    const env = {
      HTTP_PORT: '1',
      GRPC_PORT: '2',
      REQUEST_TIMEOUT: '4',
      RETRY_INTERVAL: '20',
      TIMEOUT_TO_FAIL: '60',
      LOG_LEVEL: 'warn',
      STORE_DATA_EXPIRE: '3600',
    };
    expect(resolveConfig({ env }).config).toMatchObject({
      port: 1,
      grpcPort: 2,
      requestTimeoutMs: 4_000,
      retryIntervalMs: 20_000,
      timeoutToFailMs: 60_000,
      logLevel: 'warn',
      retainSucceeded: '3600s',
      retainFailed: '3600s',
    });
  });

  it('says where alerts go, and after how many failures', () => {
    const alert = { webHook: 'http://127.0.0.1:8080/dtm-hook', retryLimit: 5 };
    const env = { ALERT_WEB_HOOK: alert.webHook, ALERT_RETRY_LIMIT: '5' };
    expect(resolveConfig({ env })).toMatchObject({ config: { alert }, warnings: [] });
    expect(fromFile(`AlertWebHook: ${alert.webHook}\nAlertRetryLimit: 5`)).toMatchObject({ config: { alert }, warnings: [] });
    expect(resolveConfig({}).config.alert).toEqual({ webHook: '', retryLimit: 3 });
    expect(() => resolveConfig({ env: { ALERT_WEB_HOOK: 'here' } })).toThrow(/alert\.webHook .* is "here"; expected: an address/);
  });

  it('is warned of where it means nothing here', () => {
    const { config, warnings } = resolveConfig({ env: { STORE_DRIVER: 'boltdb', STORE_MAX_OPEN_CONNS: '5', JSON_RPC_PORT: '' } });
    expect(config.store).toBe('sqlite:./data/amends.db');
    expect(warnings).toEqual([
      'environment variable STORE_DRIVER stands for the embedded store, which is SQLite here: see the option store',
      'environment variable STORE_MAX_OPEN_CONNS has no meaning here',
    ]);
  });

  it.each(['trace', 'INFO', 'verbose'])('is warned of a log level that another program means: %s', (level) => {
    const { config, warnings } = resolveConfig({ env: { LOG_LEVEL: level } });
    expect(config.logLevel).toBe('info');
    expect(warnings).toEqual([
      `environment variable LOG_LEVEL is "${level}", which is no level here; AMENDS_LOG_LEVEL takes debug, info, warn, error`,
    ]);
    expect(resolveConfig({ env: { LOG_LEVEL: level, AMENDS_LOG_LEVEL: 'warn' } }).config.logLevel).toBe('warn');
    expect(() => resolveConfig({ env: { AMENDS_LOG_LEVEL: level } })).toThrow(
      /^option logLevel .* expected: debug, info, warn, error/,
    );
    expect(() => fromFile(`LogLevel: ${level}`)).toThrow(/^option logLevel \(from key LogLevel in/);
  });

  it('is refused where ignoring it would lose data or hide a mistake', () => {
    expect(() => resolveConfig({ env: { STORE_DRIVER: 'mysql' } })).toThrow(
      /^option STORE_DRIVER \(from environment\) is "mysql"; expected: boltdb/,
    );
    expect(() => resolveConfig({ env: { HTTP_PORT: 'http' } })).toThrow(
      'option port (from environment variable HTTP_PORT) is "http"; expected: a whole number',
    );
  });
});

describe("DTM's YAML file", () => {
  it('may be used as it is', () => {
    const { config, warnings } = fromFile(`
Store:
  Driver: 'boltdb'
  Host: ''
  DataExpire: 604800
HttpPort: 4321
RetryInterval: 15
LogLevel: 'error'
Log:
  Outputs: 'stderr'
MicroService:
TransCronInterval: 3
`);
    expect(config).toMatchObject({ port: 4_321, retryIntervalMs: 15_000, logLevel: 'error', retainFailed: '604800s' });
    expect(warnings.map((line) => line.replace(/in \S+conf\.yml/, 'in FILE'))).toEqual([
      'key Store.Driver in FILE stands for the embedded store, which is SQLite here: see the option store',
      'key Log.Outputs in FILE is not an option here: logs go to standard output',
      'key TransCronInterval in FILE is not needed: due work is woken, not polled for',
    ]);
  });

  it.each(['Store: { FinishedDataExpire: 60, DataExpire: 0 }', 'Store: { DataExpire: 0, FinishedDataExpire: 60 }'])(
    'says how long what is finished is kept, FinishedDataExpire before DataExpire: %s',
    (text) => {
      expect(fromFile(text).config).toMatchObject({ retainSucceeded: '60s', retainFailed: '60s' });
      for (const days of [30, 365])
        expect(fromFile(`Store: { DataExpire: ${days * 86_400} }`).config.retainFailed).toBe(`${days * 86_400}s`);
      expect(fromFile('Store: { DataExpire: 0 }').config).toMatchObject({ retainSucceeded: 'off', retainFailed: 'off' });
      expect(() => fromFile('Store: { DataExpire: week }')).toThrow(/^option retainSucceeded \(from key Store\.DataExpire in/);
    },
  );

  it('may stand beside our options', () => {
    expect(fromFile('HttpPort: 1\nlogFormat: json\n').config).toMatchObject({ port: 1, logFormat: 'json' });
  });

  it.each([
    [
      'Store: { Drivr: boltdb }',
      /^option Store\.Drivr \(from .*conf\.yml\) is "boltdb"; expected: a key that DTM or Amends knows/,
    ],
    ['Store: { Driver: postgres }', /^option Store\.Driver \(from .*conf\.yml\) is "postgres"; expected: boltdb/],
    ['Store: boltdb', /^option Store \(from .*conf\.yml\) is "boltdb"; expected: a group of keys/],
    [
      'RequestTimeout: 3s',
      /^option requestTimeoutMs \(from key RequestTimeout in .*conf\.yml\) is "3s"; expected: a whole number/,
    ],
  ])('is refused, naming the key and the file: %s', (text, message) => {
    expect(() => fromFile(text)).toThrow(message);
  });
});
