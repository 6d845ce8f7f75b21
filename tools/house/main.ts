/** `node tools/house/main.ts`: looks whether the repository keeps the rules of the house; ends with 1 where it does not. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackages, checkRooms } from './arrows.ts';
import { checkCodes, readPages } from './codes.ts';
import { exceptions } from './exceptions.ts';
import { describe, withoutExceptions } from './finding.ts';
import { checkDocComments, checkTypeNames } from './names.ts';
import { floors, packages } from './plan.ts';
import { checkFolders, checkWidths } from './size.ts';
import { readSources } from './source.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { formatter } = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
const sources = readSources(root);
const findings = withoutExceptions(
  [
    ...checkPackages(root, packages),
    ...checkRooms(sources, floors),
    ...checkFolders(sources),
    ...checkWidths(sources, formatter.lineWidth),
    ...checkTypeNames(sources),
    ...checkDocComments(sources),
    ...checkCodes(readPages(root)),
  ],
  exceptions,
);
for (const finding of findings) process.stderr.write(`${describe(finding)}\n`);
process.exitCode = findings.length === 0 ? 0 : 1;
