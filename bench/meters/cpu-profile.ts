/** Reading what `node --cpu-prof` writes: which functions the time went to. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Time spent in one function itself, its callees not included. */
export interface SelfTime {
  /** Who wrote it: `@amends/core`, `undici`, `node:internal/streams`, `(native)`, `(garbage collector)`, … */
  readonly owner: string;
  /** On whose behalf: the nearest caller that is no part of Node; the owner when there is none. */
  readonly behalf: string;
  /** Name and place. */
  readonly name: string;
  readonly micros: number;
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

interface Profile {
  /** Callers before callees. */
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Reads the only profile in a folder. @returns by function, idle time left out, the longest first */
export function readProfile(folder: string): readonly SelfTime[] {
  const [file] = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  if (file === undefined) throw new Error(`no profile was written to ${folder}`);
  const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
  const times = collectTimes(profile).filter(({ owner }) => owner !== '(idle)' && owner !== '(root)');
  return sumUp(times, ({ owner, behalf, name }) => `${owner} ${behalf} ${name}`);
}

function collectTimes({ nodes, samples, timeDeltas }: Profile): readonly SelfTime[] {
  const micros = new Map<number, number>();
  samples.forEach((id, index) => {
    micros.set(id, (micros.get(id) ?? 0) + timeDeltas[index]!);
  });
  const behalfOfCaller = new Map<number, string>();
  return nodes.map(({ id, callFrame: { functionName, url, lineNumber }, children = [] }) => {
    const owner = ownerOf(url, functionName);
    const behalf = isNode(owner) ? (behalfOfCaller.get(id) ?? owner) : owner;
    if (!isNode(behalf)) for (const child of children) behalfOfCaller.set(child, behalf);
    return {
      owner,
      behalf,
      name: `${functionName || '(anonymous)'} ${placeOf(url, lineNumber)}`.trim(),
      micros: micros.get(id) ?? 0,
    };
  });
}

/** Sums by `owner` or by `behalf`. */
export function sumBy(key: 'owner' | 'behalf', times: readonly SelfTime[]): ReadonlyMap<string, number> {
  const sums = sumUp(times, (time) => time[key]);
  return new Map(sums.map((time) => [time[key], time.micros]));
}

function sumUp(times: readonly SelfTime[], keyOf: (time: SelfTime) => string): readonly SelfTime[] {
  const sums = new Map<string, SelfTime>();
  for (const time of times) {
    const key = keyOf(time);
    sums.set(key, { ...time, micros: (sums.get(key)?.micros ?? 0) + time.micros });
  }
  return [...sums.values()].sort((one, other) => other.micros - one.micros);
}

function isNode(owner: string): boolean {
  return owner.startsWith('(') || owner.startsWith('node:');
}

function ownerOf(url: string, functionName: string): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  const [, dependency] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
  const [, workspace] = /\/packages\/([\w-]+)\//.exec(url) ?? [];
  return dependency ?? (workspace === undefined ? moduleOf(url) : `@amends/${workspace}`);
}

/** `node:internal/streams/readable` is `node:internal/streams`. */
function moduleOf(url: string): string {
  return url.split('/').slice(0, 2).join('/');
}

function placeOf(url: string, lineNumber: number): string {
  return url === '' ? '' : `${url.split('/').at(-1)}:${lineNumber + 1}`;
}
