/** DTM's own names of options, in the environment and in its YAML file, so that a deployment can be moved as it is. */
import { ConfigError } from './config-error.ts';
import { configSchema } from './schema.ts';

/** What one of DTM's settings means here. */
export type DtmSetting =
  | { readonly use: 'value'; readonly options: readonly string[]; readonly value: unknown }
  | { readonly use: 'ignored'; readonly reason: string };

/** Where a setting was found, for errors. */
interface SettingPlace {
  readonly key: string;
  readonly source: string;
}

type Meaning = (value: unknown, place: SettingPlace) => DtmSetting;

const asIs =
  (option: string): Meaning =>
  (value) => ({ use: 'value', options: [option], value: number(value) });

const seconds =
  (option: string): Meaning =>
  (value) => {
    const count = number(value);
    return { use: 'value', options: [option], value: typeof count === 'number' ? count * 1000 : count };
  };

/** Seconds after which what is finished is forgotten, however it ended; 0: never. */
const expiry: Meaning = (value) => {
  const count = number(value);
  const time = typeof count === 'number' ? `${count}s` : count;
  return { use: 'value', options: ['retainSucceeded', 'retainFailed'], value: count === 0 ? 'off' : time };
};

const ignore =
  (reason: string): Meaning =>
  () => ({ use: 'ignored', reason });

function number(value: unknown): unknown {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
}

function storeDriver(value: unknown, { key, source }: SettingPlace): DtmSetting {
  if (value === 'boltdb')
    return { use: 'ignored', reason: 'stands for the embedded store, which is SQLite here: see the option store' };
  throw new ConfigError(
    key,
    value,
    'boltdb, which stands for the embedded SQLite store; mysql, postgres, redis and sqlserver are not supported by this version',
    source,
  );
}

/** Many programs read a variable of this name: what another one's word says is no mistake of whoever starts this one. */
function logLevel(value: unknown, { source }: SettingPlace): DtmSetting {
  if (source !== 'environment' || levels.safeParse(value).success) return { use: 'value', options: ['logLevel'], value };
  return { use: 'ignored', reason: `is ${JSON.stringify(value)}, which is no level here; AMENDS_LOG_LEVEL takes ${levelNames}` };
}

const levels = configSchema.shape.logLevel;
const levelNames = levels.unwrap().options.join(', ');

const notHere = ignore('has no meaning here');
const fixedHere = ignore('is not an option here');

/** By path as in DTM's YAML, joined by dots. */
const meanings: Readonly<Record<string, Meaning>> = {
  HttpPort: asIs('port'),
  GrpcPort: asIs('grpcPort'),
  RequestTimeout: seconds('requestTimeoutMs'),
  RetryInterval: seconds('retryIntervalMs'),
  TimeoutToFail: seconds('timeoutToFailMs'),
  LogLevel: logLevel,
  'Store.Driver': storeDriver,
  'Store.Host': notHere,
  'Store.Port': notHere,
  'Store.User': notHere,
  'Store.Password': notHere,
  'Store.Db': notHere,
  'Store.Schema': notHere,
  'Store.MaxOpenConns': notHere,
  'Store.MaxIdleConns': notHere,
  'Store.ConnMaxLifeTime': notHere,
  'Store.DataExpire': expiry,
  // Comes later in the alphabet, and so it wins.
  'Store.FinishedDataExpire': expiry,
  'Store.RedisPrefix': notHere,
  TransCronInterval: ignore('is not needed: due work is woken, not polled for'),
  JsonRpcPort: notHere,
  'MicroService.Driver': notHere,
  'MicroService.Target': notHere,
  'MicroService.EndPoint': notHere,
  'HttpMicroService.Driver': notHere,
  'HttpMicroService.RegistryType': notHere,
  'HttpMicroService.RegistryAddress': notHere,
  'HttpMicroService.RegistryOptions': notHere,
  'HttpMicroService.Target': notHere,
  'HttpMicroService.EndPoint': notHere,
  UpdateBranchSync: ignore('is always on: nothing is called before it is stored'),
  UpdateBranchAsyncGoroutineNum: fixedHere,
  'Log.Outputs': ignore('is not an option here: logs go to standard output'),
  'Log.RotationEnable': fixedHere,
  'Log.RotationConfigJSON': fixedHere,
  TimeZoneOffset: ignore('is not needed: all times are UTC'),
  ConfigUpdateInterval: fixedHere,
  AlertRetryLimit: asIs('alert.retryLimit'),
  AlertWebHook: asIs('alert.webHook'),
  AdminBasePath: ignore('is not supported by this version'),
  GrpcServiceConfig: notHere,
};

/** Environment names that only DTM would set; general ones such as HOST are not looked at. */
const byEnv: ReadonlyMap<string, string> = new Map(Object.keys(meanings).map((path) => [envName(path), path]));

/** `Store.MaxOpenConns` is `STORE_MAX_OPEN_CONNS`. */
function envName(path: string): string {
  return path
    .split('.')
    .flatMap((part) => part.match(/[A-Z]+(?![a-z])|[A-Z][a-z]*/g) ?? [])
    .join('_')
    .toUpperCase();
}

/** What a variable of the environment means; null: it is none of DTM's. */
export function dtmEnvSetting(name: string, value: string): DtmSetting | null {
  const path = byEnv.get(name);
  return path === undefined || value === '' ? null : meanings[path]!(value, { key: name, source: 'environment' });
}

/** Whether a key at the top of a file is DTM's; its own options begin with a small letter. */
export function isDtmKey(key: string): boolean {
  return dtmRoots.has(key);
}

const dtmRoots: ReadonlySet<string> = new Set(Object.keys(meanings).map((path) => path.split('.')[0]!));

/**
 * What a key of DTM's YAML file means, for each leaf below it.
 * @param file path of the file, for errors
 * @throws ConfigError when DTM does not know such a key
 */
export function dtmFileSettings(key: string, value: unknown, file: string): readonly (DtmSetting & { readonly key: string })[] {
  const meaning = meanings[key];
  if (value === null || (meaning !== undefined && value === '')) return [];
  if (meaning !== undefined) return [{ ...meaning(value, { key, source: file }), key }];
  if (typeof value !== 'object' || Array.isArray(value))
    throw new ConfigError(key, value, 'a group of keys, as in a DTM configuration', file);
  return Object.entries(value)
    .sort()
    .flatMap(([name, inner]) => {
      const path = `${key}.${name}`;
      if (meanings[path] === undefined) throw new ConfigError(path, inner, 'a key that DTM or Amends knows', file);
      return dtmFileSettings(path, inner, file);
    });
}
