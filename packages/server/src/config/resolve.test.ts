import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scratchFile, scratchFolder } from '../testing/scratch.ts';
import { ConfigError } from './config-error.ts';
import { type ConfigSources, resolveConfig } from './resolve.ts';

/** What a configuration is refused with. */
function refusal(sources: ConfigSources): string {
  try {
    resolveConfig(sources);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  return 'accepted';
}

describe('an option', () => {
  it('is taken from the flag, else the environment, else the one of DTM, else the file, else the default', () => {
    const file = scratchFile('amends.yaml', 'port: 4\nhost: 127.0.0.4\n');
    const dtm = { HTTP_PORT: '3' };
    const env = { ...dtm, AMENDS_PORT: '2' };
    const flags = { port: '1' };
    const portOf = (sources: ConfigSources) => resolveConfig(sources).config.port;
    expect(portOf({ file, env, flags })).toBe(1);
    expect(portOf({ file, env })).toBe(2);
    expect(portOf({ file, env: dtm })).toBe(3);
    expect(portOf({ file })).toBe(4);
    expect(portOf({})).toBe(36_789);
    expect(resolveConfig({ file, flags }).config.host).toBe('127.0.0.4');
  });

  it('has the value that its text means', () => {
    const flags = { insecure: 'yes', 'participants.allow': '10.0.0.0/8, api.example.com,', logFormat: 'text', inFlightMax: '7' };
    expect(resolveConfig({ flags }).config).toMatchObject({
      insecure: true,
      participants: { allow: ['10.0.0.0/8', 'api.example.com'], deny: [] },
      logFormat: 'text',
      inFlightMax: 7,
    });
    expect(resolveConfig({ env: { AMENDS_INSECURE: '0', AMENDS_HOST: '' } }).config).toMatchObject({
      insecure: false,
      host: '127.0.0.1',
    });
  });

  it('may be nested in the file', () => {
    const file = scratchFile('amends.yaml', 'participants:\n  deny: [evil.example.com]\nstore: "memory:"\n');
    expect(resolveConfig({ file }).config).toMatchObject({ participants: { deny: ['evil.example.com'] }, store: 'memory:' });
  });

  it('cannot be changed afterwards', () => {
    const { config } = resolveConfig();
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.participants.allow)).toBe(true);
  });

  it.each([
    [{ port: 'many' }, 'option port (from --port) is "many"; expected: a whole number'],
    [{ port: '70000' }, 'option port (from --port) is 70000; expected: at most 65535'],
    [{ inFlightMax: '0' }, 'option inFlightMax (from --in-flight-max) is 0; expected: at least 1'],
    [{ logLevel: 'loud' }, 'option logLevel (from --log-level) is "loud"; expected: debug, info, warn, error'],
    [{ insecure: 'maybe' }, 'option insecure (from --insecure) is "maybe"; expected: true or false'],
    [
      { store: 'mysql://x' },
      'option store (from --store) is "mysql://x"; expected: sqlite:PATH, or memory: which forgets everything at the end',
    ],
  ])('is refused with key, value, expectation and source: %o', (flags, message) => {
    expect(refusal({ flags: flags as Record<string, string> })).toBe(message);
  });

  it('names the pattern of participants that is none', () => {
    expect(refusal({ flags: { 'participants.allow': '10.0.0.0/8,10.0.0.0/99' } })).toBe(
      'option participants.allow[1] (from --participants-allow) is "10.0.0.0/99"; expected: a host (api.example.com, *.example.com) or a network (10.0.0.0/8)',
    );
  });
});

describe('an unknown key', () => {
  it('is refused in every source', () => {
    const file = (text: string) => refusal({ file: scratchFile('amends.yaml', text) });
    expect(refusal({ flags: { prot: '1' } })).toMatch(/^option prot \(from flag\) is "1"; expected: the name of an option/);
    expect(refusal({ env: { AMENDS_PROT: '1' } })).toMatch(/^option AMENDS_PROT \(from environment\) is "1"/);
    expect(file('prot: 1\n')).toMatch(/^option prot \(from .*amends\.yaml\) is 1; expected: .*known: host, port/);
    expect(file('participants: { allowed: [] }\n')).toMatch(/^option participants\.allowed /);
    expect(file('__proto__: { port: 1 }\n')).toMatch(/^option __proto__ /);
    expect(file('participants: 5\n')).toMatch(/^option participants .* is 5; expected: a group of keys$/);
  });

  it('is nobody’s business when it is not ours', () => {
    expect(resolveConfig({ env: { HOME: '/x', HOST: 'y', PORT: '1', AMENDS_SERVER: 'z', AMENDS_ACTOR: 'me' } }).warnings).toEqual(
      [],
    );
  });
});

describe('the variables that Kubernetes sets for a service called amends', () => {
  it('are no options', () => {
    const env = {
      AMENDS_SERVICE_HOST: '10.0.0.1',
      AMENDS_SERVICE_PORT_HTTP: '36789',
      AMENDS_PORT: 'tcp://10.0.0.1:36789',
      AMENDS_PORT_36789_TCP_ADDR: '10.0.0.1',
    };
    expect(resolveConfig({ env }).config.port).toBe(36_789);
  });
});

describe('the file', () => {
  it('may be named by the environment, and may be empty', () => {
    const file = scratchFile('other.yaml', 'port: 5\n');
    expect(resolveConfig({ env: { AMENDS_CONFIG: file } }).config.port).toBe(5);
    expect(resolveConfig({ file: scratchFile('empty.yaml', '') }).config.port).toBe(36_789);
  });

  it('must be there, readable, and a list of options', () => {
    const folder = scratchFolder();
    mkdirSync(`${folder}/sub`);
    expect(refusal({ file: `${folder}/none.yaml` })).toMatch(/^option config .*none\.yaml"; expected: .* cannot be read: ENOENT/);
    expect(refusal({ file: `${folder}/sub` })).toMatch(/cannot be read: EISDIR/);
    expect(refusal({ file: scratchFile('broken.yaml', 'port: [1\n') })).toMatch(/it is not YAML: /);
    expect(refusal({ file: scratchFile('list.yaml', '- port\n') })).toMatch(/a YAML file with one option per line/);
  });
});

describe('an address that others can reach', () => {
  it.each(['0.0.0.0', '::', '10.1.2.3', 'example.com'])('is refused without insecure: %s', (host) => {
    expect(refusal({ flags: { host } })).toMatch(
      /^option host \(from --host\) is ".*"; expected: a loopback address .* no authentication: whoever reaches the port .* --insecure$/,
    );
    expect(resolveConfig({ flags: { host, insecure: 'true' } }).config.host).toBe(host);
  });

  it.each(['localhost', '127.0.0.1', '127.3.2.1', '::1'])('is not meant by %s', (host) => {
    expect(resolveConfig({ flags: { host } }).config.insecure).toBe(false);
  });
});

it('DTM’s routes run ahead of what is stored unless the option says no', () => {
  expect(resolveConfig().config.dtm.runAhead).toBe(true);
  expect(resolveConfig({ flags: { 'dtm.runAhead': 'false' } }).config.dtm.runAhead).toBe(false);
  expect(resolveConfig({ env: { AMENDS_DTM_RUN_AHEAD: 'no' } }).config.dtm.runAhead).toBe(false);
});
