/** The sources of the repository as the house rules look at them: each file is read and parsed once. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Comment, parseSync, type Span, Visitor } from 'oxc-parser';

/** A text that stands on a line, counted from 1. */
export interface Mark {
  readonly text: string;
  readonly line: number;
}

/** A comment, without its signs. */
export interface Remark extends Mark {
  readonly lineTo: number;
  /** What it is the doc comment of; null: of nothing that has a name. */
  readonly subject: string | null;
}

/** One file, TypeScript or JavaScript. */
export interface Source {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly lines: readonly string[];
  readonly isTest: boolean;
  /** Modules as they are written, of imports and of exports from elsewhere. */
  readonly imports: readonly Mark[];
  /** Names of interfaces, type aliases and classes, exported or not. */
  readonly types: readonly Mark[];
  readonly remarks: readonly Remark[];
}

/** Reads what git knows or would add. */
export function readSources(root: string): readonly Source[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', '*.ts', '*.mjs', '*.js'], { cwd: root });
  const paths = new Set(listed.toString().split('\n').filter(Boolean));
  return [...paths].flatMap((path) => {
    const text = textAt(join(root, path));
    return text === null ? [] : [parseSource(path, text)];
  });
}

/** null: git still lists it, but it is gone. */
function textAt(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** @throws Error naming the file when it is no program */
export function parseSource(path: string, text: string): Source {
  const { program, module, comments, errors } = parseSync(path, text);
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
  const lineAt = lineFinder(text);
  const types: Mark[] = [];
  const keep = ({ id, start }: { readonly id: { readonly name: string } | null; readonly start: number }) => {
    if (id !== null) types.push({ text: id.name, line: lineAt(start) });
  };
  new Visitor({ TSInterfaceDeclaration: keep, TSTypeAliasDeclaration: keep, ClassDeclaration: keep }).visit(program);
  const exportedFrom = module.staticExports.flatMap(({ entries }) => entries.flatMap((entry) => entry.moduleRequest ?? []));
  const requests = [...module.staticImports.map(({ moduleRequest }) => moduleRequest), ...exportedFrom];
  return {
    path,
    lines: text.split('\n'),
    isTest: /\.test(-d)?\.ts$/.test(path),
    imports: [
      ...requests.map(({ value, start }) => ({ text: value, line: lineAt(start) })),
      ...module.dynamicImports.flatMap(({ moduleRequest }) => literalAt(text, moduleRequest, lineAt)),
    ],
    types,
    remarks: comments.map((comment) => remarkOf(comment, text, lineAt)),
  };
}

/** The module of an `import(…)`; none where it is made while the program runs. */
function literalAt(text: string, { start, end }: Span, lineAt: (offset: number) => number): readonly Mark[] {
  const literal = /^(['"])(.*)\1$/.exec(text.slice(start, end))?.[2];
  return literal === undefined ? [] : [{ text: literal, line: lineAt(start) }];
}

const declaration =
  /^\s*(?:(?:export|default|declare|abstract|async|readonly|static|get|set)\s+)*(?:(?:function\*?|class|interface|type|const|let)\s+)?#?(?!import\b)([\w$]+)/;

function remarkOf({ type, value, start, end }: Comment, text: string, lineAt: (offset: number) => number): Remark {
  const isDoc = type === 'Block' && value.startsWith('*');
  return {
    text: value.replaceAll(/^\s*\* ?/gm, '').trim(),
    line: lineAt(start),
    lineTo: lineAt(end),
    subject: isDoc ? (declaration.exec(text.slice(end, end + 200))?.[1] ?? null) : null,
  };
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
