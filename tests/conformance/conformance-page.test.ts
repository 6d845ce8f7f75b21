/** The page of the last full run knows every case that there is, and every case that stands for one of DTM's tests is there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inventorySection } from './conformance-page.ts';
import { inventory } from './inventory.ts';
import { suites } from './suites.ts';

const root = join(import.meta.dirname, '..', '..');
const remedy = 'run `npm run conformance -- all --page docs/conformance.md`';

test.each(suites.map((suite) => [suite.name, suite] as const))('docs/conformance.md has every case of %s', (_name, suite) => {
  const page = readFileSync(join(root, 'docs', 'conformance.md'), 'utf8');
  const section = page.split(`\n## ${suite.client}\n`)[1]?.split('\n## ')[0] ?? '';
  const absent = suite.caseNames().filter((name) => !section.includes(`| ${name} |`) && !section.includes(`| ${name}/`));
  expect(absent, remedy).toEqual([]);
  expect(page).not.toContain('| failed |');
});

test("docs/conformance.md tells of DTM's own tests what the inventory does", () => {
  expect(readFileSync(join(root, 'docs', 'conformance.md'), 'utf8'), remedy).toContain(inventorySection());
});

test('what stands for a test of DTM is there', () => {
  const known = new Set(suites.flatMap(({ name, caseNames }) => caseNames().flatMap((one) => [one, `${name}: ${one}`])));
  const absent = inventory
    .flatMap(({ by }) => by)
    .filter((by) => (/^(unit|simulation):/.test(by) ? !existsSync(join(root, by.replace(/^\w+:/, ''))) : !known.has(by)));
  expect(absent).toEqual([]);
  for (const { by, excluded, tests } of inventory) expect(by.length > 0 || excluded !== undefined, tests.join(', ')).toBe(true);
});
