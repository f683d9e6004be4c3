import type { z } from 'zod';
import { nearest, suggest } from '../../support/nearest.ts';
import { type Problem, shown, valueAt } from '../../support/problem.ts';
import { tasksWith } from '../../tasks/registry.ts';

type Issue = z.core.$ZodIssue;

/** The keys of every section by its name; the top level's under the empty name. */
export type KnownKeys = Readonly<Record<string, readonly string[]>>;

/** What zod found, in this project's words: one problem, or one for each unknown key. */
export function describeIssue(issue: Issue, config: unknown, known: KnownKeys): Problem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      expected: 'a known key',
      got: shown(key),
      hint: placeOf(key, path.join('.'), known),
    }));
  }
  const got = valueAt(config, path);
  const isMissing = got === undefined;
  const key = path.join('.');
  return [
    {
      path,
      expected: expectation(issue),
      got: shown(got),
      hint: isMissing ? `Write it into the file, or give --set ${key}=...` : nearValue(issue, got),
    },
  ];
}

/** Where a key that is unknown in one section belongs. */
function placeOf(key: string, section: string, known: KnownKeys): string {
  const [, name, value] = /^(\w+):(\S.*)$/.exec(key) ?? [];
  if (known[section]?.includes(name)) return `YAML wants a space behind the colon: ${name}: ${value}`;
  const home = Object.keys(known).find((name) => known[name].includes(key));
  if (home !== undefined)
    return home === '' ? `${key} stands at the top level.` : `It belongs under ${home}.`;
  const tasks = section === 'data' ? tasksWith(key) : [];
  return tasks.length > 0 ? `It is for task ${listed(tasks)}.` : suggest(key, known[section] ?? []);
}

function listed(names: readonly string[]): string {
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' or ');
}

function nearValue(issue: Issue, got: unknown): string | undefined {
  if (issue.code !== 'invalid_value' || typeof got !== 'string') return undefined;
  const near = nearest(got, issue.values.map(String));
  return near.length > 0 ? `Did you mean ${near[0]}?` : undefined;
}

/** The noun phrase after "expected". Messages that a schema gives itself begin with that word. */
function expectation(issue: Issue): string {
  if (issue.message.startsWith(OWN_MESSAGE)) return issue.message.slice(OWN_MESSAGE.length);
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? `a value of type ${issue.expected}`;
    case 'too_small':
      if (issue.origin === 'string') return 'a text that is not empty';
      if (issue.origin === 'array') return 'at least one entry';
      return `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
    case 'too_big':
      return `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
    case 'invalid_value':
      return `${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return [...new Set(issue.errors.map(([first]) => expectation(first)))].join(' or ');
    case 'invalid_format':
      return 'pattern' in issue ? `a text that matches ${issue.pattern}` : `a text in ${issue.format} format`;
    default:
      return `something else (${issue.message})`;
  }
}

const OWN_MESSAGE = 'expected ';

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section of keys',
  record: 'a section of keys',
};
