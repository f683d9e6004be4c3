import { type Document, isScalar, visit } from 'yaml';

/** An option for the parser of YAML: keys are the same where they are the same text, which `1` and `1.0` are not. */
export const UNIQUE_TEXTS = {
  uniqueKeys: (a: unknown, b: unknown) => textOf(a) !== undefined && textOf(a) === textOf(b),
};

/** Makes the keys of a document the texts that they are written as: YAML takes 1.0 for the number 1, and labels are texts. */
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
