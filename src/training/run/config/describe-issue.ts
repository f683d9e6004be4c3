import type { z } from 'zod';
import { listed, nearest, suggest } from '../../../support/text.ts';
import { type Problem, shown, valueAt } from '../../../support/user-error.ts';
import { tasksWith } from '../../../tasks/registry.ts';

type Issue = z.core.$ZodIssue;

/** The keys of every section, by the section's name. Keys of the top level are under the empty name. */
export type KnownKeys = Readonly<Record<string, readonly string[]>>;

/** Converts a zod issue to problems: one, or one for each unknown key. */
export function describeIssue(issue: Issue, config: unknown, known: KnownKeys): Problem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      fault: 'is not a known key',
      hint: describePlace(key, path.join('.'), known),
    }));
  }
  const got = valueAt(config, path);
  if (got === undefined && issue.code !== 'custom') {
    const hint = path.length > 0 ? `Set ${path.join('.')} in the config.` : undefined;
    return [{ path, fault: `is required (${expectation(issue)})`, hint }];
  }
  const fault = ownFault(issue);
  if (fault !== undefined) return [{ path, fault }];
  return [{ path, expected: expectation(issue), got: shown(got), hint: nearValue(issue, got) }];
}

/** The fault in an issue of a schema's own check. Its message begins in lower case, but not with "expected". */
function ownFault({ message }: Issue): string | undefined {
  return /^[a-z]/.test(message) && !message.startsWith(OWN_MESSAGE) ? message : undefined;
}

/** Keys of PEFT's AdaLoraConfig that sections with a target rank do not have. */
const OF_PEFT: Readonly<Record<string, string>> = {
  r: 'The rank is target_r. It starts at init_r.',
  total_step: 'Remove it: the steps are counted from the data.',
  task_type: 'Set task at the top level.',
};

/** Names the section that a misplaced key belongs to. */
function describePlace(key: string, section: string, known: KnownKeys): string {
  if (known[section]?.includes('target_r') && Object.hasOwn(OF_PEFT, key)) return OF_PEFT[key]!;
  const [, name, value] = /^(\w+):(\S.*)$/.exec(key) ?? [];
  if (known[section]?.includes(name!)) return `YAML needs a space after the colon: ${name}: ${value}`;
  const home = Object.keys(known).find((name) => known[name]!.includes(key));
  if (home !== undefined) return home === '' ? `${key} belongs at the top level.` : `It is a key of ${home}.`;
  const tasks = section === 'data' ? tasksWith(key) : [];
  return tasks.length > 0
    ? `It is a key of task ${listed(tasks, 'or')}.`
    : suggest(key, known[section] ?? []);
}

function nearValue(issue: Issue, got: unknown): string | undefined {
  const issues = issue.code === 'invalid_union' ? issue.errors.flat() : [issue];
  const values = issues.flatMap((each) => (each.code === 'invalid_value' ? each.values : []));
  if (typeof got !== 'string') return undefined;
  const near = nearest(got, values.map(String));
  return near.length > 0 ? `Did you mean ${near[0]}?` : undefined;
}

/** The noun phrase after "must be". In a schema's own messages, it follows "expected". */
function expectation(issue: Issue): string {
  if (issue.message.startsWith(OWN_MESSAGE)) return issue.message.slice(OWN_MESSAGE.length);
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? `a value of type ${issue.expected}`;
    case 'too_small':
      if (issue.origin === 'string') return 'a non-empty string';
      if (issue.origin === 'array') return 'a list with at least one entry';
      return `${issue.inclusive ? 'at least' : 'greater than'} ${issue.minimum}`;
    case 'too_big':
      return `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
    case 'invalid_value':
      return `${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return [...new Set(issue.errors.map(([first]) => expectation(first!)))].join(' or ');
    case 'invalid_format':
      return 'pattern' in issue
        ? `a string that matches ${issue.pattern}`
        : `a string in ${issue.format} format`;
    default:
      return `another value (${issue.message})`;
  }
}

const OWN_MESSAGE = 'expected ';

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section with keys',
  record: 'a section with keys',
};
