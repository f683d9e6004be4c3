import { z } from 'zod';
import { listed, nearest, suggest } from '../../../support/text.ts';
import { type KeyPath, type Problem, shown, valueAt } from '../../../support/user-error.ts';
import { tasksWith } from '../../../tasks/registry.ts';
import { removedHint } from './removed-keys.ts';

type Issue = z.core.$ZodIssue;

/** The keys of every section, by the section's name. Keys of the top level are under the empty name. */
export type KnownKeys = Readonly<Record<string, readonly string[]>>;

/** Converts a zod issue to problems: one, or one for each unknown key. */
export function describeIssue(issue: Issue, config: unknown, schema: z.ZodType, known: KnownKeys): Problem[] {
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
    return [{ path, fault: `is required (${expectation(issue, schema)})`, hint }];
  }
  const fault = ownFault(issue);
  if (fault !== undefined) return [{ path, fault }];
  return [{ path, expected: expectation(issue, schema), got: shown(got), hint: nearValue(issue, got) }];
}

/** The fault in an issue of a schema's own check. Its message begins in lower case, but not with "expected". */
function ownFault({ message }: Issue): string | undefined {
  return /^[a-z]/.test(message) && !message.startsWith(OWN_MESSAGE) ? message : undefined;
}

/** Names the section that a misplaced key belongs to. */
function describePlace(key: string, section: string, known: KnownKeys): string {
  const removed = removedHint(section, key);
  if (removed !== undefined) return removed;
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
function expectation(issue: Issue, schema: z.ZodType): string {
  if (issue.message.startsWith(OWN_MESSAGE)) return issue.message.slice(OWN_MESSAGE.length);
  switch (issue.code) {
    case 'invalid_type':
      return `${TYPES[issue.expected] ?? `a value of type ${issue.expected}`}${describeBounds(issue, schema)}`;
    case 'too_small':
      if (issue.origin === 'string') return 'a non-empty string';
      if (issue.origin === 'array') return 'a list with at least one entry';
      return `${issue.inclusive ? 'at least' : 'greater than'} ${issue.minimum}`;
    case 'too_big':
      return `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
    case 'invalid_value':
      return `${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return [...new Set(issue.errors.map(([first]) => expectation(first!, schema)))].join(' or ');
    case 'invalid_format':
      return 'pattern' in issue
        ? `a string that matches ${issue.pattern}`
        : `a string in ${issue.format} format`;
    default:
      return `another value (${issue.message})`;
  }
}

/** The allowed range of the number at an issue's path, with a space before it. */
function describeBounds({ path, code }: Issue, schema: z.ZodType): string {
  const number = code === 'invalid_type' ? numberAt(schema, path) : undefined;
  if (!number) return '';
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = z.toJSONSchema(number);
  const bounds = [
    ...(exclusiveMinimum === undefined ? [] : [`greater than ${exclusiveMinimum}`]),
    ...(minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? [] : [`at least ${minimum}`]),
    ...(exclusiveMaximum === undefined ? [] : [`less than ${exclusiveMaximum}`]),
    ...(maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? [] : [`at most ${maximum}`]),
  ];
  return bounds.length > 0 ? ` ${bounds.join(' and ')}` : '';
}

function numberAt(schema: z.core.$ZodType, path: KeyPath): z.ZodNumber | undefined {
  let inner = schema as z.core.$ZodType | undefined;
  for (const key of path) {
    const object = unwrapped(inner);
    inner = object instanceof z.ZodObject ? object.shape[String(key)] : undefined;
  }
  const last = unwrapped(inner);
  return last instanceof z.ZodNumber ? last : undefined;
}

/** A schema without its default and its `optional`. */
function unwrapped(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  const isWrapped =
    schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  return isWrapped ? unwrapped(schema.unwrap()) : schema;
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
