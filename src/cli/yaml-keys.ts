import { type Document, isScalar, visit } from 'yaml';

/** An option of the YAML parser: keys are duplicates only if their texts are equal, so `1` and `1.0` differ. */
export const UNIQUE_TEXTS = {
  uniqueKeys: (a: unknown, b: unknown) => textOf(a) !== undefined && textOf(a) === textOf(b),
};

/** Replaces the keys of a document by their source texts: YAML reads 1.0 as the number 1, but labels are texts. */
export function keysToText(document: Document): void {
  visit(document, {
    Pair(_, { key }) {
      if (isScalar(key)) key.value = textOf(key);
    },
  });
}

function textOf(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}
