/** What a house rule finds, and what is excepted from it. */

/** A place that breaks a rule. */
export interface Finding {
  readonly rule: string;
  /** What an exception names: a path, or a path and a name. */
  readonly where: string;
  /** Counted from 1; left out where the whole file or folder is meant. */
  readonly line?: number;
  /** What is wrong and what to do about it. */
  readonly words: string;
}

/** A place that may break a rule. */
export interface Exception {
  readonly rule: string;
  /** As the finding names it. */
  readonly where: string;
  readonly reason: string;
}

/** Takes away what is excepted; an exception that nothing needs any more is a finding itself. */
export function withoutExceptions(findings: readonly Finding[], exceptions: readonly Exception[]): readonly Finding[] {
  const covers = (exception: Exception, { rule, where }: Finding) => exception.rule === rule && exception.where === where;
  const needless = exceptions.filter((exception) => !findings.some((finding) => covers(exception, finding)));
  return [
    ...findings.filter((finding) => !exceptions.some((exception) => covers(exception, finding))),
    ...needless.map(({ rule, where }) => ({
      rule: 'exceptions',
      where: 'tools/house/exceptions.ts',
      words: `${where} keeps the rule ${rule} now: take its exception out`,
    })),
  ];
}

/** One line that an editor can follow. */
export function describe({ rule, where, line, words }: Finding): string {
  const [path, ...name] = where.split(' ');
  return `${path}${line === undefined ? '' : `:${line}`} ${rule}: ${[...name, words].join(' ')}`;
}
