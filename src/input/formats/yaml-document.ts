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
        const name = textOf(key);
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

function textOf({ value, source }: { value: unknown; source?: string }): string {
  return typeof value === 'string' ? value : (source ?? String(value));
}
