/** The plan of the house: which package and which room may use which others. */

/** The packages of this workspace that each package depends on, but for its tests. Imports follow `package.json` by lint. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  core: [],
  store: ['core'],
  'store-sql': ['core', 'store'],
  wire: ['core'],
  coordinator: ['core', 'store'],
  server: ['core', 'store', 'store-sql', 'wire', 'coordinator'],
  client: [],
  cli: ['client', 'server'],
};

/**
 * The rooms of a folder by floors, the lowest first: a room uses rooms of the floors below it, never one beside or above it.
 * A room is a folder, or a file that stands beside the folders; `.` is each such file that is not named.
 */
export const floors: Readonly<Record<string, string>> = {
  'packages/core/src': 'words < request < transaction < stored modes < .',
  'packages/coordinator/src': 'ports < calls < coordinator < drive < requests nodes topics < .',
  'packages/wire/src': 'input < faces < dtm native < grpc json-rpc < .',
  'packages/store/src': '. < contract',
  'packages/store-sql/src': '. < migrations < sqlite < index',
  'packages/store-sql/src/sqlite': 'sqlite-dialect log < file < care < thread < .',
  'packages/server/src':
    'version ready start-error addresses faces < start-error-of config < telemetry stores alerts dtm < http grpc < .',
  'packages/client/src': 'http < api participants < barriers < modes < .',
  bench: 'processes < load < run < servers report < meters < scenarios < .',
  examples:
    'stage < bank-transfer cache-consistency flash-sale hospital-booking order-fulfilment tcc-transfer workflow-booking xa-transfer',
  tools: '. < services house < start',
  tests: 'python-environment < conformance contract failpoints simulation start',
  'tests/simulation': 'world < checks mutants < nodes < applications < running < .',
};
