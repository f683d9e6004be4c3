import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { adapterKinds, METHOD_NAMES } from '../src/methods/tuners/registry.ts';
import { HEAD_KINDS, HEADS } from '../src/models/heads/registry.ts';
import { PROGRAM } from '../src/support/program.ts';
import { TASK_NAMES } from '../src/tasks/registry.ts';

/*
 * The names of a method or a task occur only in its folder, so that a new one is one folder and one line there; the
 * rest of the program asks the registries.
 */

interface Source {
  path: string;
  text: string;
}

const SOURCES: Source[] = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((path) => `src/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));

/** A word in a string literal or a template, and whether it is beside identifiers. */
interface Word {
  line: number;
  text: string;
  isText: boolean;
}

/** The words of sources that were parsed before. */
const known = new WeakMap<Source, Word[]>();

function wordsOf(source: Source): Word[] {
  const before = known.get(source);
  if (before) return before;
  const found = parsedWords(source);
  known.set(source, found);
  return found;
}

function parsedWords({ path, text }: Source): Word[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  const found: Word[] = [];
  const visit = (node: ts.Node): void => {
    const isText =
      ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isText || ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      found.push({ line: line + 1, text: (node as ts.LiteralLikeNode | ts.Identifier).text, isText });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** AdapterHub's names of head kinds are the same as our task names. */
const FOREIGN = /^src\/models\/heads\/registry\.ts$/;

/** The end of a transformers class with one of the heads. `Model` alone is the end of many other names. */
const HEAD_CLASS = new RegExp(
  `(${Object.values(HEADS)
    .flatMap(({ architectures }) => architectures)
    .filter((end) => end !== 'Model')
    .join('|')})\\b`,
);

/** AdapterHub's heads are described by the transformers class that each is equivalent to. */
const BY_CLASS = 'src/methods/tuners/bottleneck/adapterhub-settings.ts';

/** Occurrences of the names, as `file:line: name`, in files outside `room`. */
function strays(
  sources: readonly Source[],
  names: readonly string[],
  room: string,
  texts: readonly string[] = [],
) {
  return sources
    .filter(({ path }) => !path.startsWith(room) && !FOREIGN.test(path))
    .flatMap((source) =>
      wordsOf(source)
        .filter(({ text, isText }) => names.includes(text) && (isText || !texts.includes(text)))
        .map(({ line, text }) => `${source.path}:${line}: ${text}`),
    );
}

const linesWith = (sources: readonly Source[], pattern: RegExp) =>
  sources.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
  );

describe('names', () => {
  it('are searched in all of src', () => {
    expect(SOURCES.length).toBeGreaterThan(300);
    expect(METHOD_NAMES).toContain('adalora');
    expect(TASK_NAMES).toContain('masked_lm');
    expect(HEAD_KINDS).toContain('MASKED_LM');
  });

  it.each([
    [`const x = { lora: 1 };`, 'lora'],
    ['if (method === "adalora") x();', 'adalora'],
    ['x = config.adalora;', 'adalora'],
    ["type T = 'bitfit';", 'bitfit'],
    [`x = \`lora\${y}\`;`, 'lora'],
    [`x = \`\${y}lora\`;`, 'lora'],
    ['x = `full`;', 'full'],
  ])('are found in %s', (text, name) => {
    expect(strays([{ path: 'src/x.ts', text }], METHOD_NAMES, 'src/methods/tuners/', ['full'])).toEqual([
      `src/x.ts:1: ${name}`,
    ]);
  });

  it.each([['const full = x.full;'], ['// lora'], ['x = "lora_alpha";']])('are not found in %s', (text) => {
    expect(strays([{ path: 'src/x.ts', text }], METHOD_NAMES, 'src/methods/tuners/', ['full'])).toEqual([]);
  });

  it.each([
    ...['BertForSequenceClassification', "name.endsWith('ForTokenClassification')", '// a GPT2LMHeadModel'],
    ...['AutoModelForCausalLM.from_pretrained', 'T5ForConditionalGeneration', 'BertForMaskedLM'],
  ])('of heads are found in %s', (text) => {
    expect(linesWith([{ path: 'src/x.ts', text }], HEAD_CLASS)).toEqual([`src/x.ts:1: ${text}`]);
  });

  it('of methods are only in src/methods/tuners', () => {
    // "full" is also an English word: only a whole string is the method's name.
    const found = strays(SOURCES, METHOD_NAMES, 'src/methods/tuners/', ['full']);
    // The program is named after a method, and so are its provider and llama.cpp's kind of adapter.
    const own = [
      'src/support/program.ts:',
      'src/faces/servers/ai/index.ts:',
      'src/use/trained/gguf-adapter.ts:',
    ];
    expect(found.filter((place) => !own.some((start) => place.startsWith(start)))).toEqual([]);
  });

  it('of tasks are only in src/tasks', () => {
    expect(strays(SOURCES, TASK_NAMES, 'src/tasks/')).toEqual([]);
  });

  it('of heads are only where models, losses and tasks declare theirs', () => {
    const homes = ['src/models/', 'src/program/objectives/', 'src/tasks/'];
    const others = SOURCES.filter(({ path }) => !homes.some((home) => path.startsWith(home)));
    expect(strays(others, HEAD_KINDS, 'src/models/')).toEqual([]);
    // Also transformers' classes: their suffixes belong to a head's own folder.
    const [foreign, own] = [true, false].map((is) => others.filter(({ path }) => (path === BY_CLASS) === is));
    expect(linesWith(own!, HEAD_CLASS)).toEqual([]);
    expect(linesWith(foreign!, HEAD_CLASS)).not.toEqual([]);
  });

  it('of tuners are not used in instanceof outside src/methods/tuners', () => {
    const others = SOURCES.filter(({ path }) => !path.startsWith('src/methods/tuners/'));
    expect(linesWith(others, /instanceof (\w*Tuner|WholeParameters)\b/)).toEqual([]);
  });

  it('of low-rank factors are only in src/methods/tuners/low-rank, also in comments', () => {
    const others = SOURCES.filter(({ path }) => !path.startsWith('src/methods/tuners/low-rank/'));
    expect(linesWith(others, /lora_[AEB]\b/)).toEqual([]);
  });

  it('of kinds of adapter files, and the forms of methods, are only in src/methods/tuners', () => {
    const kinds = adapterKinds().map(({ name }) => name);
    expect(kinds).toContain('IA3');
    expect(strays(SOURCES, kinds, 'src/methods/tuners/')).toEqual([]);
    const serving = SOURCES.filter(({ path }) => path.startsWith('src/use/serving/'));
    const known = ['bank/', 'tuner.ts'].map((end) => `tuners/${end}`);
    const imports = serving.flatMap(({ path, text }) =>
      ts
        .preProcessFile(text)
        .importedFiles.filter(({ fileName }) => fileName.includes('tuners/'))
        .filter(({ fileName }) => !known.some((one) => fileName.includes(one)))
        .map(({ fileName }) => `${path}: ${fileName}`),
    );
    expect(imports).toEqual([]);
    expect(linesWith(serving, /\b(rank|factors|bottlenecks?|lambda)\b/i)).toEqual([]);
  });

  it('of this program are in one place', () => {
    const places = linesWith(SOURCES, new RegExp(`(['"\`])${PROGRAM}\\1`));
    // Examples in docstrings import the package.
    const others = places.filter((place) => !/^src\/methods\/tuners\/|: \* import /.test(place));
    expect(others).toEqual([expect.stringMatching(/^src\/support\/program\.ts:\d+: /)]);
  });

  it('of kinds are not asked of a task', () => {
    expect(linesWith(SOURCES, /isLanguageTask/)).toEqual([]);
  });

  it('any is a type of values that only users know', () => {
    const suppressed = linesWith(SOURCES, /noExplicitAny/);
    expect(suppressed).toEqual([expect.stringMatching(/^src\/scores\/metrics\/own-metrics\.ts:/)]);
  });
});

it('functions begin with a verb, so none ends in Of', () => {
  expect(linesWith(SOURCES, /^(export )?(async )?function\*? \w+Of\b/)).toEqual([]);
});

/** Functions with their types that a page and Node each have, and functions whose code an entry point loads. */
const TWINS = [
  ...[
    'OPEN_OPTIONS',
    'OpenOptions',
    'TrainOptions',
    'createSession',
    'decodeImage',
    'decodeSound',
    'exportOnnx',
  ],
  ...['open', 'openModel', 'openTrained', 'plan', 'train'],
];

it('two files export no two things by one name', () => {
  const places = new Map<string, string[]>();
  for (const { path, text } of SOURCES)
    for (const [, name] of text.matchAll(
      /^export (?:abstract |async )*(?:class|const|function\*?|interface|let|type) (\w+)/gm,
    ))
      places.set(name!, [...(places.get(name!) ?? []), path]);
  const twice = [...places].filter(([name, paths]) => new Set(paths).size > 1 && !TWINS.includes(name));
  expect(twice).toEqual([]);
});

it('types are not called facts or words, except words of a text', () => {
  const types = SOURCES.flatMap(({ path, text }) =>
    [...text.matchAll(/^export (?:interface|type) (\w+(?:Facts|Words))\b/gm)].map(
      ([, name]) => `${path}: ${name}`,
    ),
  );
  expect(types.filter((type) => !/: TaggedWords$/.test(type))).toEqual([]);
});
