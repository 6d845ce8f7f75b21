/** `docs/conformance.md`, made of what the suites have said. */
import type { CaseResult, Suite } from './case-result.ts';
import { type Covered, inventory } from './inventory.ts';

/** What a suite has said. */
export interface SuiteResults {
  readonly suite: Suite;
  readonly results: readonly CaseResult[];
}

/** The page. @param version of Amends */
export function conformancePage(all: readonly SuiteResults[], version: string): string {
  return `# Conformance

What DTM's client libraries do against Amends ${version}, as black boxes: each case submits transactions with the real client,
plays the participants, and checks what was called and how it ended. This page is written by

\`\`\`
npm run conformance -- all --page docs/conformance.md
\`\`\`

${table(
  ['Client', 'Cases', 'Passed', 'Failed', 'Excluded'],
  all.map(({ suite, results }) => [
    suite.client,
    `${results.length}`,
    ...(['passed', 'failed', 'skipped'] as const).map(
      (wanted) => `${results.filter(({ outcome }) => outcome === wanted).length}`,
    ),
  ]),
)}

The clients for Node, C# and PHP do not run in these tests. Their requests are replayed in the forms in which they come, from
\`tests/conformance/forms\`.

${all.map(cases).join('\n\n')}

## DTM's own tests

${inventorySection()}`;
}

/** Which cases stand for DTM's own tests, and which of those would not pass as they stand. */
export function inventorySection(): string {
  return `Which case stands for each test of DTM's server and each of its examples, or why none does. Where something is *different*, the
cases cover what the test is about, and hold Amends to its own promise; the test as it stands would not pass.

${table(
  ['Where', 'Tests', 'Cases here', 'Excluded or different'],
  inventory.map((covered) => [covered.source, covered.tests.join(', '), covered.by.map(linkTo).join(', '), remarkOn(covered)]),
)}
`;
}

function remarkOn({ excluded, differs }: Covered): string {
  if (excluded !== undefined) return `excluded: ${excluded}`;
  return differs === undefined ? '' : `*different*: it ${differs}`;
}

function cases({ suite, results }: SuiteResults): string {
  const sorted = [...results].sort((one, other) => (one.name < other.name ? -1 : 1));
  const rows = sorted.map(({ name, outcome, output }) => [
    name,
    protocolOf(name),
    outcome === 'skipped' ? 'excluded' : outcome,
    outcome === 'skipped' ? output.trim() : '',
  ]);
  return `## ${suite.client}\n\n${table(['Case', 'Protocol', 'Result', 'Reason'], rows)}`;
}

/** By which protocol the client speaks with the server, as the names of cases tell. */
function protocolOf(name: string): string {
  if (/\/grpc\b|Grpc/.test(name)) return 'gRPC';
  return /json-rpc/.test(name) ? 'JSON-RPC' : 'HTTP';
}

function linkTo(by: string): string {
  const [, kind, file] = /^(unit|simulation):(.*)$/.exec(by) ?? [];
  return kind === undefined ? by : `[${file!.split('/').at(-1)}](../${file})`;
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
