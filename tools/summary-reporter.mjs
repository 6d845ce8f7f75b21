/** Ends a test run with every skip and its reason, and the line `N passed, N failed` (`, N skipped`). */
export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const skips = [];
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      if (tests.length === 0 && module.state() === 'failed') counts.failed += 1;
      for (const test of tests) {
        const { state, note } = test.result();
        if (state === 'pending') counts.skipped += 1;
        else counts[state] += 1;
        if (state === 'skipped' || state === 'pending')
          skips.push(`skipped: ${module.relativeModuleId} > ${test.fullName}: ${note ?? 'no reason given'}`);
      }
    }
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
    process.stdout.write(`${[...skips, `${counts.passed} passed, ${counts.failed} failed${skipped}`].join('\n')}\n`);
  }
}
