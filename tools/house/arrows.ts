/** Which package and which room may use which others: what the plan says against what is imported. */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Finding } from './finding.ts';
import type { Source } from './source.ts';

const rule = 'arrows';
const scope = '@amends/';
const plan = 'tools/house/plan.ts';

/** Looks at what the `package.json` of each package depends on within the workspace. */
export function checkPackages(root: string, allowed: Readonly<Record<string, readonly string[]>>): readonly Finding[] {
  return Object.entries(allowed).flatMap(([name, arrows]) => {
    const where = `packages/${name}/package.json`;
    const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(join(root, where), 'utf8'));
    const used = Object.keys({ ...dependencies, ...peerDependencies }).filter((one) => one.startsWith(scope));
    return used
      .filter((one) => !arrows.includes(one.slice(scope.length)))
      .map((one) => ({ rule, where, words: `${name} must not use ${one}: ask for it by a port, or change ${plan}` }));
  });
}

/** Looks at what the rooms of each folder import; tests and what stands in `testing` may import everything. */
export function checkRooms(sources: readonly Source[], floors: Readonly<Record<string, string>>): readonly Finding[] {
  return Object.entries(floors).flatMap(([folder, text]) => {
    const rooms = new Map(text.split(' < ').flatMap((floor, height) => floor.split(' ').map((room) => [room, height])));
    const inside = sources.filter(({ path, isTest }) => path.startsWith(`${folder}/`) && !isTest);
    return inside.flatMap((source) => checkSource(source, folder, rooms));
  });
}

function checkSource(source: Source, folder: string, rooms: ReadonlyMap<string, number>): readonly Finding[] {
  const where = source.path;
  const room = roomOf(where, folder, rooms);
  if (room === 'testing') return [];
  const height = rooms.get(room);
  if (height === undefined)
    return [{ rule, where, words: `the room ${room} stands on no floor of ${folder}: say which in ${plan}` }];
  return source.imports.flatMap(({ text, line }) => {
    const path = posix.join(posix.dirname(where), text);
    if (!text.startsWith('.') || !path.startsWith(`${folder}/`)) return [];
    const used = roomOf(path, folder, rooms);
    if (used === room || (rooms.get(used) ?? Number.POSITIVE_INFINITY) < height) return [];
    return [
      { rule, where, line, words: `${room} must not use ${used}: move what both need down, or change the floors in ${plan}` },
    ];
  });
}

function roomOf(path: string, folder: string, rooms: ReadonlyMap<string, number>): string {
  const [first = '', ...rest] = posix.relative(folder, path).split('/');
  if (rest.length > 0) return first;
  const name = first.replace(/\.\w+$/, '');
  return rooms.has(name) ? name : '.';
}
