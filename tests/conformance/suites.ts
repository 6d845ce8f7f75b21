/** All suites. */
import type { Suite } from './case-result.ts';
import { formsSuite } from './forms-suite.ts';
import { goSuite } from './go-suite.ts';
import { javaSuite } from './java-suite.ts';
import { pythonSuite } from './python-suite.ts';

/** In the order in which they run. */
export const suites: readonly Suite[] = [goSuite, pythonSuite, javaSuite, formsSuite];
