import {
  type Document,
  type DocumentOptions,
  isScalar,
  type Node,
  type ParsedNode,
  type ParseOptions,
  parseDocument,
  visit,
  YAMLParseError,
} from 'yaml';
import { InvalidFile } from '../../support/user-error.ts';
import { utf8Text } from './excerpt.ts';

/** Maximum depth of lists and sections, and maximum number of keys and entries. */
const MAX = { depth: 64, entries: 8192 };

/** Matches a line that begins too many lists or sections, such as `- - - a`. */
const MANY_BEGIN = new RegExp(`(?:[-?:][ \\t]+){${MAX.depth}}`);

/**
 * Checks YAML before it is parsed, because for some texts the parser would need all memory, or minutes.
 *
 * @param where the file's name in messages
 * @param most maximum number of entries
 * @throws UserError
 */
export function checkYaml(text: string, where: string, most = MAX.entries): void {
  const tooDeep = () => new InvalidFile({ where, fault: `is YAML nested deeper than ${MAX.depth} levels` });
  let [depth, entries] = [0, 0];
  for (const character of text) {
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    else if (character === ',' || character === ':') entries++;
    if (depth > MAX.depth) throw tooDeep();
  }
  if (entries > most) throw new InvalidFile({ where, fault: `is YAML with more than ${most} entries` });
  if (MANY_BEGIN.test(text)) throw tooDeep();
}

/**
 * Parses a YAML document. Keys keep their source text, because labels may be keys, and YAML would read the
 * label 1.0 as a number. Equal keys are an error, and so is an alias inside its own anchor, which has no value. The
 * parser's own check for equal keys is off, because it compares each key with all earlier ones.
 */
export function yamlDocument(text: string, options: ParseOptions & DocumentOptions = {}): Document.Parsed {
  const document = parseDocument(text, { logLevel: 'error', ...options, uniqueKeys: false });
  const anchored = new Map<string | undefined, Node>();
  visit(document, {
    Value: (_, node) => void anchored.set(node.anchor, node),
    Alias(_, alias, path) {
      const target = anchored.get(alias.source);
      if (!target || !path.includes(target)) return;
      const [start, end] = (alias as ParsedNode).range;
      const message = `The alias *${alias.source} is inside the value that it stands for`;
      document.errors.push(new YAMLParseError([start, end], 'BAD_ALIAS', message));
    },
    Map(_, map) {
      const { items } = map;
      anchored.set(map.anchor, map);
      const seen = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        const name = readText(key);
        if (seen.has(name)) {
          const [start, end] = (key as ParsedNode).range;
          document.errors.push(new YAMLParseError([start, end], 'DUPLICATE_KEY', 'Map keys must be unique'));
        }
        seen.add(name);
        key.value = name;
      }
    },
  });
  document.errors.sort((a, b) => a.pos[0] - b.pos[0]);
  return document;
}

/** Maximum size of YAML files. They have a few kilobytes, and parsed YAML takes much more memory than its text. */
export const MAX_YAML_BYTES = 2 ** 18;

/**
 * Parses a YAML file of at most {@link MAX_YAML_BYTES}.
 *
 * @param where the file's name in messages
 * @throws UserError if it is not UTF-8 or not valid YAML
 */
export function parseYaml(bytes: Uint8Array, where: string): unknown {
  const text = utf8Text(bytes, where);
  checkYaml(text, where);
  try {
    const document = yamlDocument(text);
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    const [got] = (error as Error).message.split('\n', 1);
    throw new InvalidFile({ where, fault: `is not valid YAML: ${got!.replace(/[.:]$/, '')}` });
  }
}

function readText({ value, source }: { value: unknown; source?: string }): string {
  return typeof value === 'string' ? value : (source ?? String(value));
}
